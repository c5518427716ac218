package checker

import (
	"strings"
	"testing"
)

func TestAProbeIsHalfOpenUnlessMoreIsAsked(t *testing.T) {
	tests := []struct {
		name    string
		options TCP
		want    bool
	}{
		{"nothing more is asked", TCP{}, true},
		{"empty texts ask nothing", TCP{Send: []byte{}, Quit: []byte{}, Expect: Expect{Text: []byte{}}}, true},
		{"the connection is to be established", TCP{Connected: true}, false},
		{"TLS is spoken", TCP{TLS: &TLS{}}, false},
		{"something is sent at first", TCP{Send: []byte("a")}, false},
		{"something is sent in the end", TCP{Quit: []byte("a")}, false},
		{"a text must come", TCP{Expect: Expect{Text: []byte("a")}}, false},
		{"an expression must match", TCP{Expect: Expect{Pattern: "a"}}, false},
		{"an expression must not match", TCP{Expect: Expect{Not: "a"}}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.options.HalfOpen(); got != tt.want {
				t.Errorf("%+v: half open is %v, want %v", tt.options, got, tt.want)
			}
		})
	}
}

func TestWhatAProbeMaySayAndExpect(t *testing.T) {
	long := func(n int) []byte { return []byte(strings.Repeat("a", n)) }
	text, bad := []byte("a"), &TLS{MinVersion: "1.4"}
	tests := []struct {
		name    string
		options interface{ Validate() error }
		want    string // is in the error; empty: there is none
	}{
		{"nothing needs to be expected", Expect{}, ""},
		{"as long a text as is looked at can be expected", Expect{Text: long(AnswerLimit)}, ""},
		{"a longer text cannot", Expect{Text: long(AnswerLimit + 1)}, "the expected text has 16385 bytes, and 16384 are looked at"},
		{"an expression needs no text", Expect{Pattern: "a", Not: "b"}, ""},
		{"a text needs no expression", Expect{Text: text, Not: "b"}, ""},
		{"a text and an expression cannot both be expected", Expect{Text: text, Pattern: "a"}, "either a text or a regular expression"},
		{"an expression must be valid", Expect{Pattern: "("}, "pattern is not a valid regular expression"},
		{"so must the one that must not match", Expect{Pattern: "a", Not: "("}, "not is not a valid regular expression"},

		{"TCP needs no options", TCP{}, ""},
		{"as much as the limit may be sent", TCP{Send: long(MaxSend), Quit: long(MaxSend)}, ""},
		{"no more may be sent at first", TCP{Send: long(MaxSend + 1)}, "it has 8193 bytes, and the limit is 8192"},
		{"no more may be sent in the end", TCP{Quit: long(MaxSend + 1)}, "it has 8193 bytes, and the limit is 8192"},
		{"what TCP expects must be valid", TCP{Expect: Expect{Not: "("}}, "not is not a valid regular expression"},
		{"TLS on the connection needs no options", TCP{TLS: &TLS{}}, ""},
		{"its options must be valid", TCP{TLS: bad}, `version "1.4" of TLS must be`},
		{"valid ones do not excuse the rest", TCP{TLS: &TLS{}, Send: long(MaxSend + 1)}, "it has 8193 bytes"},

		{"UDP needs no options", UDP{}, ""},
		{"an answer may be whatever it is", UDP{Reply: true}, ""},
		{"an answer may be expected", UDP{Reply: true, Expect: Expect{Text: text}}, ""},
		{"nothing is expected where no answer is", UDP{Expect: Expect{Text: text}}, "what is expected must be an answer"},
		{"no more than the limit fits into a datagram", UDP{Send: long(MaxSend + 1)}, "it has 8193 bytes, and the limit is 8192"},
		{"what UDP expects must be valid", UDP{Reply: true, Expect: Expect{Pattern: "("}}, "pattern is not a valid regular expression"},

		{"the oldest version of TLS can be asked for", TLS{MinVersion: "1.0"}, ""},
		{"the newest can", TLS{MinVersion: "1.3"}, ""},
		{"one that does not exist cannot", *bad, `version "1.4" of TLS must be 1.0, 1.1, 1.2 or 1.3`},
		{"a certificate carries the name of a host", TLS{ServerName: "a b"}, `server name "a b" must be a host name`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			switch err := tt.options.Validate(); {
			case tt.want == "" && err != nil:
				t.Errorf("error %v, want none", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("error %v, want %q in it", err, tt.want)
			}
		})
	}
}
