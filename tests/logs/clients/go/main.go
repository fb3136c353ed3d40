// A client of golang.org/x/crypto/ssh.
package main

import (
	"log"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

func main() {
	host, port, user, key, knownHosts, command := os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5], os.Args[6]
	var methods []ssh.AuthMethod
	if key != "-" {
		text, err := os.ReadFile(key)
		if err != nil {
			log.Fatalf("unable to read private key: %v", err)
		}
		signer, err := ssh.ParsePrivateKey(text)
		if err != nil {
			log.Fatalf("unable to parse private key: %v", err)
		}
		methods = append(methods, ssh.PublicKeys(signer))
	}
	if password, there := os.LookupEnv("PASSWORD"); there {
		methods = append(methods, ssh.Password(password))
	}
	known, err := knownhosts.New(knownHosts)
	if err != nil {
		log.Fatal(err)
	}
	config := &ssh.ClientConfig{User: user, Auth: methods, HostKeyCallback: known, Timeout: 5 * time.Second}
	client, err := ssh.Dial("tcp", net.JoinHostPort(host, port), config)
	if err != nil {
		log.Fatal("Failed to dial: ", err)
	}
	if strings.HasPrefix(command, "forward ") {
		where := strings.TrimPrefix(command, "forward ")
		if _, err := client.Dial("tcp", where); err != nil {
			log.Fatal("Failed to forward: ", err)
		}
		return
	}
	session, err := client.NewSession()
	if err != nil {
		log.Fatal("Failed to create session: ", err)
	}
	if command == "sftp" {
		if err := session.RequestSubsystem("sftp"); err != nil {
			log.Fatal("Failed to start sftp: ", err)
		}
		return
	}
	output, err := session.CombinedOutput(command)
	if err != nil {
		log.Fatalf("Failed to run: %v: %s", err, output)
	}
}
