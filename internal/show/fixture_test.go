package show

import "github.com/lvsd/lvsd/internal/api/apitest"

// What a director tells, and what becomes of it.
var (
	before         = apitest.Before
	healthy, up    = apitest.Healthy, apitest.Up
	fail, drain    = apitest.Fail, apitest.Drain
	unserve, large = apitest.Unserve, apitest.Large
)
