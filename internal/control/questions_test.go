package control

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/api"
)

// What the sources of the tests answer to questions.

func (f fixed) Plan(_ context.Context, o api.PlanOrder) (api.Plan, error) {
	size := 0
	for _, file := range o.Files {
		size += len(file.Text)
	}
	return api.Plan{OK: true, Path: fmt.Sprintf("%d files, %d bytes", len(o.Files), size)}, nil
}

func (f fixed) WhatIf(_ context.Context, o api.WhatIfOrder) (api.WhatIf, error) {
	return api.WhatIf{Error: fmt.Sprint(o.Down, o.Rate)}, nil
}

func (hung) Plan(ctx context.Context, _ api.PlanOrder) (api.Plan, error) {
	<-ctx.Done()
	return api.Plan{}, ctx.Err()
}

func (hung) WhatIf(ctx context.Context, _ api.WhatIfOrder) (api.WhatIf, error) {
	<-ctx.Done()
	return api.WhatIf{}, ctx.Err()
}

func (s stuck) Plan(context.Context, api.PlanOrder) (api.Plan, error) {
	<-s.release
	return api.Plan{}, nil
}

func (s stuck) WhatIf(context.Context, api.WhatIfOrder) (api.WhatIf, error) {
	<-s.release
	return api.WhatIf{}, nil
}

func (f fixed) Apply(_ context.Context, by api.User, o api.ApplyOrder) (api.Applied, error) {
	return api.Applied{Reloaded: api.Reloaded{Error: fmt.Sprint(by.UID, o.Confirm)}}, nil
}

func (f fixed) Confirm(_ context.Context, by api.User, _ api.ConfirmOrder) (api.Applied, error) {
	return api.Applied{Reloaded: api.Reloaded{Error: fmt.Sprint(by.UID, " confirms")}}, nil
}

func (hung) Apply(ctx context.Context, _ api.User, _ api.ApplyOrder) (api.Applied, error) {
	<-ctx.Done()
	return api.Applied{}, ctx.Err()
}

func (hung) Confirm(ctx context.Context, _ api.User, _ api.ConfirmOrder) (api.Applied, error) {
	<-ctx.Done()
	return api.Applied{}, ctx.Err()
}

func (s stuck) Apply(context.Context, api.User, api.ApplyOrder) (api.Applied, error) {
	<-s.release
	return api.Applied{}, nil
}

func (s stuck) Confirm(context.Context, api.User, api.ConfirmOrder) (api.Applied, error) {
	<-s.release
	return api.Applied{}, nil
}

func TestApplyOverTheSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lvsd.sock")
	serve(t, listen(t, path), working())
	if a, err := Dial(path).Apply(t.Context(), api.ApplyOrder{Confirm: 5 * time.Minute}); err != nil || a.Error != fmt.Sprint(os.Getuid(), " 5m0s") {
		t.Errorf("apply: %+v, %v", a, err)
	}
	if a, err := Dial(path).Confirm(t.Context()); err != nil || a.Error != fmt.Sprint(os.Getuid(), " confirms") {
		t.Errorf("confirm: %+v, %v", a, err)
	}
}

func TestWhatIfOverTheSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lvsd.sock")
	serve(t, listen(t, path), working())
	if all, err := Dial(path).WhatIf(t.Context(), api.WhatIfOrder{Down: []string{"web1"}, Rate: time.Second}); err != nil || all.Error != "[web1] 1s" {
		t.Errorf("%+v, %v", all, err)
	}
	if _, err := Dial(path).WhatIf(t.Context(), api.WhatIfOrder{Down: []string{strings.Repeat("x", maxHeader)}}); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("a question that is too long: %v", err)
	}
}
