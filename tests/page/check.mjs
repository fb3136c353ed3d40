// Looks at HTML reports as a browser and a screen reader get them: node check.mjs MODULES PAGES [SCREENSHOTS]
//
// MODULES is where package.json was installed, PAGES a folder of .html files. html-validate reads each file; Chromium shows it at 360
// and 1280 pixels, light and dark, and axe examines it there. Each fault is a line on standard output, and the exit status is 1.
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, pages, screenshots] = process.argv.slice(2).map((path) => resolve(path));
const require = createRequire(join(modules, 'package.json'));
const { HtmlValidate } = require('html-validate');
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const VALIDATOR = new HtmlValidate({
  root: true,
  extends: ['html-validate:standard', 'html-validate:a11y'],
  // The page's policy allows style attributes and nothing else.
  rules: { 'no-inline-style': 'off' },
});
const WIDTHS = [360, 1280];
const SCHEMES = ['light', 'dark'];
const NO_SANDBOX = process.getuid() === 0 ? ['--no-sandbox'] : [];

let faults = 0;
function fault(file, text) {
  faults += 1;
  console.log(`${file}: ${text}`);
}

async function validate(file) {
  const report = await VALIDATOR.validateFile(join(pages, file));
  for (const { messages } of report.results) {
    messages.forEach(({ line, column, ruleId, message }) => fault(file, `${line}:${column}: ${ruleId}: ${message}`));
  }
}

async function show(browser, file, width, colorScheme) {
  const where = `${file} at ${width} px, ${colorScheme}`;
  // Without the page's own policy, which forbids axe as well.
  const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme, bypassCSP: true });
  const page = await context.newPage();
  await page.goto(pathToFileURL(join(pages, file)).href);
  await page.evaluate(() => document.querySelectorAll('details').forEach((details) => { details.open = true; }));
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (overflow > 0) fault(where, `${overflow} px wider than the screen`);
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run({ resultTypes: ['violations'] }));
  for (const { id, help, nodes } of found.violations) {
    fault(where, `${id}: ${help}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(' | ')}`);
  }
  if (screenshots) {
    await page.evaluate(() => document.querySelectorAll('details').forEach((details) => { details.open = false; }));
    await page.screenshot({ path: join(screenshots, `${file.replace(/\.html$/, '')}-${width}-${colorScheme}.png`), fullPage: true });
  }
  await context.close();
}

// Under its own policy the page loads nothing and the browser has nothing to complain about.
async function load(browser, file) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const own = pathToFileURL(join(pages, file)).href;
  page.on('console', (message) => fault(file, `console: ${message.text()}`));
  page.on('pageerror', (error) => fault(file, `error: ${error.message}`));
  page.on('dialog', (dialog) => { fault(file, `dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on('request', (request) => { if (request.url() !== own) fault(file, `loads ${request.url()}`); });
  await page.goto(own);
  await context.close();
}

if (screenshots) mkdirSync(screenshots, { recursive: true });
const files = readdirSync(pages).filter((name) => name.endsWith('.html')).sort();
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [...NO_SANDBOX, '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const views = WIDTHS.flatMap((width) => SCHEMES.map((scheme) => [width, scheme]));
for (const file of files) {
  await validate(file);
  await load(browser, file);
  await Promise.all(views.map(([width, scheme]) => show(browser, file, width, scheme)));
}
await browser.close();
console.log(`${files.length} pages, ${faults} faults`);
process.exit(faults > 0 || files.length === 0 ? 1 : 0);
