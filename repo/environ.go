package repo

import (
	"os"
	"path/filepath"
	"strings"
)

// localVariable reports whether a variable names a repository or a part of one,
// rather than a setting of the user (git rev-parse --local-env-vars).
func localVariable(name string) bool {
	switch name {
	case "GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY",
		"GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_PREFIX", "GIT_NAMESPACE", "GIT_IMPLICIT_WORK_TREE",
		"GIT_CEILING_DIRECTORIES":
		return true
	}
	return false
}

// environ is the environment of every command but the first. Only the
// repository's own configuration is left, and no transport is allowed: a blob
// that a partial clone lacks would else be fetched, which runs what
// remote.*.uploadpack or core.sshCommand names.
func environ(env []string, root, dir string, bare bool) []string {
	out := without(env, func(name string) bool { return strings.HasPrefix(name, "GIT_") && name != "GIT_EXEC_PATH" })
	out = append(out,
		"LC_ALL=C",
		"GIT_DIR="+dir,
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_GLOBAL="+os.DevNull,
		"GIT_ATTR_NOSYSTEM=1",
		"GIT_OPTIONAL_LOCKS=0",
		"GIT_GRAFT_FILE="+os.DevNull,
		"GIT_NO_LAZY_FETCH=1",
		"GIT_ALLOW_PROTOCOL=none",
		"GIT_TERMINAL_PROMPT=0",
	)
	if !bare {
		out = append(out, "GIT_WORK_TREE="+root)
	}
	if index := lookup(env, "GIT_INDEX_FILE"); index != "" {
		out = append(out, "GIT_INDEX_FILE="+absolute(root, index))
	}
	return append(out, quarantine(env, dir)...)
}

// quarantine returns the variables that let a pre-receive hook see the objects
// of the push that it judges (git-receive-pack, QUARANTINE ENVIRONMENT).
func quarantine(env []string, dir string) []string {
	own := lookup(env, "GIT_DIR")
	if own == "" {
		return nil
	}
	own, err := filepath.Abs(own)
	if err != nil {
		return nil
	}
	if real, err := filepath.EvalSymlinks(own); err != nil || real != dir {
		return nil
	}
	var out []string
	for _, name := range []string{"GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH"} {
		if v := lookup(env, name); v != "" {
			out = append(out, name+"="+v)
		}
	}
	return out
}

func absolute(root, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(root, path)
}

// without returns a copy of env without the variables that drop names.
func without(env []string, drop func(name string) bool) []string {
	var out []string
	for _, kv := range env {
		if name, _, _ := strings.Cut(kv, "="); !drop(name) {
			out = append(out, kv)
		}
	}
	return out
}

// lookup returns the last value of a variable, as exec.Cmd takes it.
func lookup(env []string, name string) (value string) {
	for _, kv := range env {
		if k, v, _ := strings.Cut(kv, "="); k == name {
			value = v
		}
	}
	return value
}
