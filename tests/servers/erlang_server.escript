#!/usr/bin/env escript
%% Erlang's ssh daemon: publickey logins, commands by sh, its own shell, and sftp.
%%
%% usage: erlang_server.escript ADDRESS PORT SYSTEM_DIR USER_DIR
main([Address, Port, SystemDir, UserDir]) ->
    {ok, _} = application:ensure_all_started(ssh),
    {ok, Ip} = inet:parse_address(Address),
    Run = fun(Command) ->
        Out = os:cmd(Command),
        {ok, Out}
    end,
    {ok, _} = ssh:daemon(Ip, list_to_integer(Port), [
        {system_dir, SystemDir},
        {user_dir, UserDir},
        {auth_methods, "publickey"},
        {exec, {direct, Run}},
        {subsystems, [ssh_sftpd:subsystem_spec([])]}
    ]),
    timer:sleep(infinity).
