package text

import "testing"

func TestAPatternIsCompiledOnce(t *testing.T) {
	p := Pattern(`^a+$`)
	if p() != p() || !p().MatchString("aa") || p().MatchString("b") {
		t.Error("it is compiled again, or is another one")
	}
}

func TestAPatternWithAMistakeIsSeenByWhoUsesIt(t *testing.T) {
	p := Pattern(`(`)
	defer func() {
		if recover() == nil {
			t.Error("it did not panic")
		}
	}()
	p()
}
