package filter

// DialBy has all that is asked of the kernel take this way.
func (f *Filter) DialBy(dial func() nltest) { f.dial = dial }
