// A server on golang.org/x/crypto/ssh, as programs that embed it have one: publickey logins, and commands by sh in a process each.
//
// usage: go_server ADDRESS PORT HOST_KEY_FILE AUTHORIZED_KEYS_FILE [sftp]
package main

import (
	"io"
	"log"
	"net"
	"os"
	"os/exec"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

func main() {
	onlySftp := len(os.Args) > 5 && os.Args[5] == "sftp"
	config := &ssh.ServerConfig{PublicKeyCallback: check(os.Args[4])}
	bytes, err := os.ReadFile(os.Args[3])
	must(err)
	key, err := ssh.ParsePrivateKey(bytes)
	must(err)
	config.AddHostKey(key)
	listener, err := net.Listen("tcp", net.JoinHostPort(os.Args[1], os.Args[2]))
	must(err)
	for {
		conn, err := listener.Accept()
		must(err)
		go serve(conn, config, onlySftp)
	}
}

func check(file string) func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) {
	rest, err := os.ReadFile(file)
	must(err)
	known := map[string]bool{}
	for len(rest) > 0 {
		var key ssh.PublicKey
		key, _, _, rest, err = ssh.ParseAuthorizedKey(rest)
		if err != nil {
			break
		}
		known[string(key.Marshal())] = true
	}
	return func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if known[string(key.Marshal())] {
			return nil, nil
		}
		return nil, io.EOF
	}
}

func serve(conn net.Conn, config *ssh.ServerConfig, onlySftp bool) {
	_, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for channel := range channels {
		if channel.ChannelType() != "session" {
			channel.Reject(ssh.UnknownChannelType, "unknown channel type")
			continue
		}
		session, requests, err := channel.Accept()
		if err == nil {
			go handle(session, requests, onlySftp)
		}
	}
}

func handle(session ssh.Channel, requests <-chan *ssh.Request, onlySftp bool) {
	for request := range requests {
		switch {
		case request.Type == "exec" && !onlySftp:
			request.Reply(true, nil)
			go run(session, string(request.Payload[4:]))
		case request.Type == "subsystem" && string(request.Payload[4:]) == "sftp":
			request.Reply(true, nil)
			go transfer(session)
		default:
			request.Reply(false, nil)
		}
	}
}

func transfer(session ssh.Channel) {
	server, err := sftp.NewServer(session)
	if err == nil {
		server.Serve()
	}
	session.Close()
}

func run(session ssh.Channel, command string) {
	child := exec.Command("/bin/sh", "-c", command)
	child.Stdout, child.Stderr = session, session.Stderr()
	input, err := child.StdinPipe()
	must(err)
	must(child.Start())
	go func() {
		io.Copy(input, session)
		input.Close()
	}()
	status := uint32(0)
	if err := child.Wait(); err != nil {
		status = uint32(child.ProcessState.ExitCode())
	}
	session.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{status}))
	session.Close()
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
