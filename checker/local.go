package checker

// File is a probe of this machine that passes while a file exists, or while it
// holds a number.
type File struct {
	Path string `json:"path"`
	// Number: the file must hold a whole number, which is the result's.
	Number bool `json:"number,omitempty"`
	// Weight: the file must hold a whole number by this measure, which is the result's
	// Advice.
	Weight Measure `json:"weight,omitempty"`
	// Absent: the probe passes while there is no such file instead.
	Absent bool `json:"absent,omitempty"`
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
	// StatusWeight: the statuses from FirstWeight to 255 pass too, and what they are above
	// it is the weight.
	StatusWeight bool `json:"status_weight,omitempty"`
	// Environment is what the program's environment has besides the usual: "NAME=value".
	Environment []string `json:"environment,omitempty"`
}

// FirstWeight is the exit status that stands for a weight of 0.
const FirstWeight = 2

// Kind returns "exec".
func (Exec) Kind() string { return "exec" }
