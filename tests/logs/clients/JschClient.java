import com.jcraft.jsch.*;

/** JSch with its log at DEBUG. */
public class JschClient {
    public static void main(String[] args) throws Exception {
        JSch.setLogger(new Logger() {
            public boolean isEnabled(int level) { return true; }
            public void log(int level, String message) {
                System.err.println(new String[] {"DEBUG", "INFO", "WARN", "ERROR", "FATAL"}[level] + ": " + message);
            }
        });
        JSch jsch = new JSch();
        if (!args[3].equals("-")) jsch.addIdentity(args[3]);
        jsch.setKnownHosts(args[4]);
        Session session = jsch.getSession(args[2], args[0], Integer.parseInt(args[1]));
        session.setConfig("PreferredAuthentications", System.getenv("PASSWORD") == null ? "publickey" : "password");
        if (System.getenv("PASSWORD") != null) session.setPassword(System.getenv("PASSWORD"));
        if (System.getenv("KEEPALIVE") != null) session.setServerAliveInterval(1000 * Integer.parseInt(System.getenv("KEEPALIVE")));
        session.connect(6000);
        Channel channel = session.openChannel(args[5].equals("sftp") ? "sftp" : "exec");
        if (channel instanceof ChannelExec) {
            ((ChannelExec) channel).setCommand(args[5]);
            ((ChannelExec) channel).setErrStream(System.err);
        }
        channel.connect(6000);
        while (!channel.isClosed() && session.isConnected()) Thread.sleep(100);
        System.err.println("exit-status: " + channel.getExitStatus());
        session.disconnect();
    }
}
