package text

import "testing"

func TestAPatternIsCompiledOnce(t *testing.T) {
	p := Pattern(`^a+$`)
	first := p()
	if p() != first || !first.MatchString("aa") || first.MatchString("b") {
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
