//! A server for benchmarks that completes a key exchange at the least cost, and no more: `cheap-server PORT` on every address of loopback.
//!
//! It speaks curve25519-sha256 (RFC 8731) with an ssh-ed25519 host key (RFC 8709) and is silent after SSH_MSG_NEWKEYS.

use std::io::{self, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use ring::agreement::{EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use sha2::{Digest, Sha256};

const VERSION: &[u8] = b"SSH-2.0-cheap";
const KEXINIT: u8 = 20;
const NEWKEYS: u8 = 21;
const ECDH_REPLY: u8 = 31;
/// Connections that are served at the same time.
const THREADS: usize = 64;
/// The longest packet before encryption that is read, bytes (RFC 4253 section 6.1).
const LONGEST: usize = 35_000;

fn main() -> io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(0);
    let listener = TcpListener::bind(("0.0.0.0", port))?;
    let random = SystemRandom::new();
    let seed = ring::rand::generate::<[u8; 32]>(&random).map_err(failed)?.expose();
    let key = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(failed)?;
    writeln!(io::stdout(), "listening on {}", listener.local_addr()?)?;
    std::thread::scope(|threads| {
        for _ in 0..THREADS {
            threads.spawn(|| {
                for client in listener.incoming().flatten() {
                    // A client that goes away is no error.
                    let _ = serve(client, &key, &random);
                }
            });
        }
    });
    Ok(())
}

fn serve(mut client: TcpStream, key: &Ed25519KeyPair, random: &SystemRandom) -> io::Result<()> {
    client.set_nodelay(true)?;
    let server_init = kexinit();
    client.write_all(&[VERSION, b"\r\n", &framed(&server_init)].concat())?;
    let mut reader = BufReader::new(client.try_clone()?);
    let client_version = line(&mut reader)?;
    let client_init = packet(&mut reader)?;
    let ecdh_init = packet(&mut reader)?;
    let theirs = ecdh_init.get(5..37).ok_or(io::ErrorKind::InvalidData)?;
    let ours = EphemeralPrivateKey::generate(&X25519, random).map_err(failed)?;
    let public = ours.compute_public_key().map_err(failed)?;
    let host_key = [&string(b"ssh-ed25519")[..], &string(key.public_key().as_ref())].concat();
    let hash = agree_ephemeral(ours, &UnparsedPublicKey::new(&X25519, theirs), |secret| {
        let parts = [&client_version[..], VERSION, &client_init, &server_init, &host_key, theirs, public.as_ref()];
        let hashed = parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(string(part)));
        hashed.chain_update(mpint(secret)).finalize()
    })
    .map_err(failed)?;
    let signature = [&string(b"ssh-ed25519")[..], &string(key.sign(&hash).as_ref())].concat();
    let reply = [&[ECDH_REPLY][..], &string(&host_key), &string(public.as_ref()), &string(&signature)].concat();
    client.write_all(&[framed(&reply), framed(&[NEWKEYS])].concat())?;
    while reader.read(&mut [0; 512])? > 0 {}
    Ok(())
}

fn kexinit() -> Vec<u8> {
    let mut payload = vec![KEXINIT];
    payload.extend([7; 16]);
    let (cipher, mac) = ("aes128-ctr", "hmac-sha2-256");
    for names in ["curve25519-sha256", "ssh-ed25519", cipher, cipher, mac, mac, "none", "none", "", ""] {
        payload.extend(string(names.as_bytes()));
    }
    payload.extend([0; 5]);
    payload
}

fn string(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap_or_default().to_be_bytes(), bytes].concat()
}

/// A positive number (RFC 4251 section 5).
fn mpint(bytes: &[u8]) -> Vec<u8> {
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    let zero: &[u8] = if bytes.get(start).is_some_and(|byte| byte & 0x80 != 0) { &[0] } else { &[] };
    string(&[zero, &bytes[start..]].concat())
}

/// A packet before any cipher (RFC 4253 section 6).
fn framed(payload: &[u8]) -> Vec<u8> {
    let padding = 4 + (8 - (payload.len() + 9) % 8) % 8;
    let length = u32::try_from(1 + payload.len() + padding).unwrap_or_default();
    [&length.to_be_bytes()[..], &[u8::try_from(padding).unwrap_or_default()], payload, &[0; 16][..padding]].concat()
}

fn line(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let (mut line, mut byte) = (Vec::new(), [0]);
    while line.len() < 255 {
        reader.read_exact(&mut byte)?;
        if byte == *b"\n" {
            break;
        }
        line.push(byte[0]);
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(line)
}

/// The payload of the next packet.
fn packet(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = [0; 5];
    reader.read_exact(&mut head)?;
    let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
    if length > LONGEST || length < 1 + usize::from(head[4]) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut rest = vec![0; length - 1];
    reader.read_exact(&mut rest)?;
    rest.truncate(length - 1 - usize::from(head[4]));
    Ok(rest)
}

/// The library says no more than that it failed.
fn failed<E>(_: E) -> io::Error {
    io::ErrorKind::Other.into()
}
