#!/usr/bin/env escript
%% The ssh application of Erlang/OTP: HOST PORT USER KEY KNOWN_HOSTS COMMAND, the last two of its files in one folder.
main([Host, Port, User, Folder, _Known, Command]) ->
    ok = ssh:start(),
    Options = [{user, User}, {user_dir, Folder}, {silently_accept_hosts, false}, {user_interaction, false},
               {connect_timeout, 6000}, {save_accepted_host, false}]
        ++ case os:getenv("PASSWORD") of false -> []; Password -> [{password, Password}] end,
    case ssh:connect(Host, list_to_integer(Port), Options, 8000) of
        {ok, Connection} ->
            Opened = ssh_connection:session_channel(Connection, 5000),
            io:format("session_channel: ~p~n", [Opened]),
            case Opened of
                {ok, Channel} ->
                    io:format("exec: ~p~n", [ssh_connection:exec(Connection, Channel, Command, 5000)]),
                    flush();
                _ -> ok
            end;
        {error, Reason} ->
            io:format("{error,~p}~n", [Reason])
    end,
    timer:sleep(300).

flush() ->
    receive Message -> io:format("~p~n", [Message]), flush() after 1500 -> ok end.
