/* libssh with its log at the level of packets. */
#include <libssh/libssh.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fails(ssh_session session, const char *what) {
    fprintf(stderr, "Error %s: %s\n", what, ssh_get_error(session));
    return 1;
}

int main(int count, char **args) {
    if (count < 7) return 2;
    int port = atoi(args[2]), verbosity = SSH_LOG_PROTOCOL;
    long timeout = 6;
    ssh_session session = ssh_new();
    ssh_options_set(session, SSH_OPTIONS_HOST, args[1]);
    ssh_options_set(session, SSH_OPTIONS_PORT, &port);
    ssh_options_set(session, SSH_OPTIONS_USER, args[3]);
    ssh_options_set(session, SSH_OPTIONS_KNOWNHOSTS, args[5]);
    ssh_options_set(session, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null");
    ssh_options_set(session, SSH_OPTIONS_LOG_VERBOSITY, &verbosity);
    ssh_options_set(session, SSH_OPTIONS_TIMEOUT, &timeout);
    if (ssh_connect(session) != SSH_OK) return fails(session, "connecting to host");
    switch (ssh_session_is_known_server(session)) {
    case SSH_KNOWN_HOSTS_OK: break;
    case SSH_KNOWN_HOSTS_CHANGED: fprintf(stderr, "Host key for server changed\n"); return 1;
    case SSH_KNOWN_HOSTS_OTHER: fprintf(stderr, "The host key for this server was not found but an other type of key exists\n"); return 1;
    default: fprintf(stderr, "The server is unknown. Do you trust the host key?\n"); return 1;
    }
    ssh_userauth_none(session, NULL);
    int login = SSH_AUTH_DENIED;
    if (strcmp(args[4], "-")) {
        ssh_key key;
        if (ssh_pki_import_privkey_file(args[4], NULL, NULL, NULL, &key) != SSH_OK) {
            fprintf(stderr, "Error importing private key\n");
            return 1;
        }
        login = ssh_userauth_publickey(session, NULL, key);
    }
    if (login != SSH_AUTH_SUCCESS && getenv("PASSWORD")) login = ssh_userauth_password(session, NULL, getenv("PASSWORD"));
    if (login != SSH_AUTH_SUCCESS) return fails(session, "authenticating");
    ssh_channel channel = ssh_channel_new(session);
    if (ssh_channel_open_session(channel) != SSH_OK) return fails(session, "opening the channel");
    if (ssh_channel_request_exec(channel, args[6]) != SSH_OK) return fails(session, "executing the command");
    char buffer[256];
    int got;
    while ((got = ssh_channel_read(channel, buffer, sizeof buffer, 0)) > 0) {}
    if (got < 0) return fails(session, "reading from the channel");
    fprintf(stderr, "exit status %d\n", ssh_channel_get_exit_status(channel));
    ssh_disconnect(session);
    return 0;
}
