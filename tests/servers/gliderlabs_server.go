// A server on github.com/gliderlabs/ssh: publickey logins; it answers every session with a greeting and ends it, as many
// programs do that are talked to by ssh, or runs commands by sh.
//
// usage: gliderlabs_server ADDRESS PORT HOST_KEY_FILE AUTHORIZED_KEYS_FILE exec|greeting
package main

import (
	"io"
	"log"
	"net"
	"os"
	"os/exec"

	"github.com/gliderlabs/ssh"
)

func main() {
	text, err := os.ReadFile(os.Args[4])
	if err != nil {
		log.Fatal(err)
	}
	allowed, _, _, _, err := ssh.ParseAuthorizedKey(text)
	if err != nil {
		log.Fatal(err)
	}
	handler := run
	if os.Args[5] == "greeting" {
		handler = greet
	}
	server := &ssh.Server{
		Addr:    net.JoinHostPort(os.Args[1], os.Args[2]),
		Handler: handler,
		PublicKeyHandler: func(_ ssh.Context, key ssh.PublicKey) bool {
			return ssh.KeysEqual(key, allowed)
		},
	}
	if err := server.SetOption(ssh.HostKeyFile(os.Args[3])); err != nil {
		log.Fatal(err)
	}
	log.Fatal(server.ListenAndServe())
}

func greet(session ssh.Session) {
	io.WriteString(session, "Hello "+session.User()+"\n")
}

func run(session ssh.Session) {
	child := exec.Command("/bin/sh", "-c", session.RawCommand())
	if session.RawCommand() == "" {
		child = exec.Command("/bin/sh")
	}
	child.Stdout, child.Stderr = session, session.Stderr()
	input, _ := child.StdinPipe()
	if err := child.Start(); err != nil {
		session.Exit(255)
		return
	}
	go func() {
		io.Copy(input, session)
		input.Close()
	}()
	child.Wait()
	session.Exit(child.ProcessState.ExitCode())
}
