package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// description is the first line on standard output.
type description struct {
	URL         string            `json:"url"` // through the proxy
	Dir         string            `json:"dir"`
	Kubeconfig  string            `json:"kubeconfig"` // of an administrator
	CA          string            `json:"ca"`
	AuditLog    string            `json:"auditLog"`
	Users       map[string]string `json:"users,omitempty"` // kubeconfigs by name
	PIDs        map[string]int    `json:"pids"`
	ReadyMillis int64             `json:"readyMillis"`
}

// answer is the line on standard output for each command.
type answer struct {
	Kubeconfig string `json:"kubeconfig,omitempty"`
	Error      string `json:"error,omitempty"`
}

func (c *controlPlane) describe(users map[string]string, took time.Duration) description {
	pids := make(map[string]int)
	for _, p := range c.procs {
		pids[p.name] = p.cmd.Process.Pid
	}
	return description{
		URL: c.proxy.url(), Dir: c.opts.dir,
		Kubeconfig: c.file("admin.kubeconfig"), CA: c.file("ca.crt"), AuditLog: c.file("audit.log"),
		Users: users, PIDs: pids, ReadyMillis: took.Milliseconds(),
	}
}

// users writes the kubeconfigs of the flag -user.
func (c *controlPlane) users(specs []string) (map[string]string, error) {
	paths := make(map[string]string)
	for _, spec := range specs {
		name, groups, _ := strings.Cut(spec, ":")
		path, err := c.user(name, strings.FieldsFunc(groups, func(r rune) bool { return r == ',' }))
		if err != nil {
			return nil, err
		}
		paths[name] = path
	}
	return paths, nil
}

func (c *controlPlane) user(name string, groups []string) (string, error) {
	return newUser(c.opts.dir, c.proxy.url(), name, groups, c.ca)
}

// serve answers commands until it is told to end or a component fails.
func (c *controlPlane) serve(ctx context.Context, commands <-chan string, answers *json.Encoder) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case p := <-c.failed:
			return ended(p)
		case line := <-commands:
			a, err := c.obey(ctx, strings.Fields(line))
			if err != nil {
				a.Error = err.Error()
			}
			if err := answers.Encode(a); err != nil {
				return err
			}
		}
	}
}

// obey carries out a command:
//
//	user NAME [GROUP...]   writes a kubeconfig
//	stop-apiserver         kills it; the data stays
//	start-apiserver        starts it again and waits until it is ready
//	restart-apiserver      both
//	delay DURATION         delays each direction of the proxy, 0 ends it
//	drop                   cuts the proxy's connections
//	lose-answer            cuts each of the proxy's connections when the server next answers on it
//	refuse on|off          accepts no connection to the proxy
func (c *controlPlane) obey(ctx context.Context, words []string) (a answer, err error) {
	if len(words) == 0 {
		return a, errors.New("no command")
	}
	command, args := words[0], words[1:]
	switch {
	case command == "user" && len(args) > 0:
		a.Kubeconfig, err = c.user(args[0], args[1:])
	case command == "stop-apiserver":
		err = c.stopAPIServer()
	case command == "start-apiserver":
		err = c.startAPIServer(ctx)
	case command == "restart-apiserver":
		if err = c.stopAPIServer(); err == nil {
			err = c.startAPIServer(ctx)
		}
	case command == "delay" && len(args) == 1:
		var d time.Duration
		if d, err = time.ParseDuration(args[0]); err == nil {
			c.proxy.delay(d)
		}
	case command == "drop":
		c.proxy.drop()
	case command == "lose-answer":
		c.proxy.loseAnswer()
	case command == "refuse" && len(args) == 1:
		c.proxy.refuse(args[0] == "on")
	default:
		err = fmt.Errorf("unknown command %q", strings.Join(words, " "))
	}
	return a, err
}
