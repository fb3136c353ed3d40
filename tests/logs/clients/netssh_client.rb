# Net::SSH with its log at DEBUG.
require 'net/ssh'
require 'logger'

host, port, user, key, known_hosts, command = ARGV
options = {
  port: port.to_i, keys: key == '-' ? [] : [key], keys_only: true, use_agent: false, config: false, timeout: 5,
  user_known_hosts_file: known_hosts, global_known_hosts_file: [], verify_host_key: :always, non_interactive: true,
  logger: Logger.new($stderr, level: Logger::DEBUG)
}
options[:password] = ENV['PASSWORD'] if ENV['PASSWORD']
options.merge!(keepalive: true, keepalive_interval: ENV['KEEPALIVE'].to_i) if ENV['KEEPALIVE']
Net::SSH.start(host, user, options) do |ssh|
  if command.start_with?('forward ')
    where, _, there = command.split[1].rpartition(':')
    ssh.open_channel('direct-tcpip', :string, where, :long, there.to_i, :string, '127.0.0.1', :long, 1) { ssh.close }
    ssh.loop(0.1)
  else
    puts ssh.exec!(command)
  end
end
