package checker

// File is a probe of this machine that passes while a file exists, or while it
// holds a number.
type File struct {
	Path string `json:"path"`
	// Number: the file must hold a whole number, which is the result's.
	Number bool `json:"number,omitempty"`
}

// Kind returns "file".
func (File) Kind() string { return "file" }

// MaxNumber bounds the number that a File holds, on either side of 0.
const MaxNumber = 10_000

// Process is a probe of this machine that passes while as many processes run as
// should.
type Process struct {
	// Program is the name of the program, or its absolute path.
	Program string `json:"program"`
	// Arguments must all be among those of the process, in this order.
	Arguments []string `json:"arguments,omitempty"`
	// Owner is the user whose processes count, by name or number; empty: anybody.
	Owner string `json:"owner,omitempty"`
	// Minimum and Maximum bound how many may run; a Maximum of 0 is none.
	Minimum int `json:"minimum"`
	Maximum int `json:"maximum,omitempty"`
}

// Kind returns "process".
func (Process) Kind() string { return "process" }

// Exec is a probe that passes when a program ends in time with status 0.
type Exec struct {
	// Run are the program's absolute path and its arguments.
	Run []string `json:"run"`
	// User is whom it runs as; empty: this process's own user.
	User string `json:"user,omitempty"`
	// KillChildren ends what it has left running when it has ended.
	KillChildren bool `json:"kill_children,omitempty"`
}

// Kind returns "exec".
func (Exec) Kind() string { return "exec" }
