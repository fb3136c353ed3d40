import java.nio.file.Path;
import java.util.List;
import org.apache.sshd.common.keyprovider.FileKeyPairProvider;
import org.apache.sshd.server.SshServer;
import org.apache.sshd.server.config.keys.AuthorizedKeysAuthenticator;
import org.apache.sshd.server.forward.AcceptAllForwardingFilter;
import org.apache.sshd.server.shell.InteractiveProcessShellFactory;
import org.apache.sshd.server.shell.ProcessShellCommandFactory;
import org.apache.sshd.sftp.server.SftpSubsystemFactory;

/**
 * Apache MINA's server: publickey logins, commands that it splits and starts itself, a shell, sftp, and forwarding.
 *
 * <p>usage: Mina ADDRESS PORT HOST_KEY_FILE AUTHORIZED_KEYS_FILE exec|sftp
 */
public final class Mina {
    public static void main(String[] args) throws Exception {
        SshServer server = SshServer.setUpDefaultServer();
        server.setHost(args[0]);
        server.setPort(Integer.parseInt(args[1]));
        server.setKeyPairProvider(new FileKeyPairProvider(Path.of(args[2])));
        server.setPublickeyAuthenticator(new AuthorizedKeysAuthenticator(Path.of(args[3])));
        server.setSubsystemFactories(List.of(new SftpSubsystemFactory()));
        if (args[4].equals("exec")) {
            server.setCommandFactory(new ProcessShellCommandFactory());
            server.setShellFactory(InteractiveProcessShellFactory.INSTANCE);
            server.setForwardingFilter(AcceptAllForwardingFilter.INSTANCE);
        }
        server.start();
        Thread.currentThread().join();
    }
}
