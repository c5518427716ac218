package block

import (
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net/netip"
	"slices"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// maxFile is how much file() reads, in bytes.
const maxFile = 1 << 20

// functions are those that an expression may call, besides file.
var functions = map[string]function.Function{
	"abs":          stdlib.AbsoluteFunc,
	"can":          tryfunc.CanFunc,
	"ceil":         stdlib.CeilFunc,
	"chomp":        stdlib.ChompFunc,
	"cidrhost":     cidrHost,
	"cidrsubnet":   cidrSubnet,
	"coalesce":     stdlib.CoalesceFunc,
	"compact":      stdlib.CompactFunc,
	"concat":       stdlib.ConcatFunc,
	"contains":     stdlib.ContainsFunc,
	"distinct":     stdlib.DistinctFunc,
	"element":      stdlib.ElementFunc,
	"flatten":      stdlib.FlattenFunc,
	"floor":        stdlib.FloorFunc,
	"format":       stdlib.FormatFunc,
	"formatlist":   stdlib.FormatListFunc,
	"index":        stdlib.IndexFunc,
	"join":         stdlib.JoinFunc,
	"jsondecode":   stdlib.JSONDecodeFunc,
	"keys":         stdlib.KeysFunc,
	"length":       stdlib.LengthFunc,
	"lookup":       stdlib.LookupFunc,
	"lower":        stdlib.LowerFunc,
	"max":          stdlib.MaxFunc,
	"merge":        stdlib.MergeFunc,
	"min":          stdlib.MinFunc,
	"parseint":     stdlib.ParseIntFunc,
	"range":        stdlib.RangeFunc,
	"regex":        stdlib.RegexFunc,
	"regexall":     stdlib.RegexAllFunc,
	"regexreplace": stdlib.RegexReplaceFunc,
	"replace":      stdlib.ReplaceFunc,
	"reverse":      stdlib.ReverseListFunc,
	"slice":        stdlib.SliceFunc,
	"sort":         stdlib.SortFunc,
	"split":        stdlib.SplitFunc,
	"substr":       stdlib.SubstrFunc,
	"tobool":       stdlib.MakeToFunc(cty.Bool),
	"tolist":       stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType)),
	"tomap":        stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType)),
	"tonumber":     stdlib.MakeToFunc(cty.Number),
	"toset":        stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)),
	"tostring":     stdlib.MakeToFunc(cty.String),
	"trim":         stdlib.TrimFunc,
	"trimprefix":   stdlib.TrimPrefixFunc,
	"trimspace":    stdlib.TrimSpaceFunc,
	"trimsuffix":   stdlib.TrimSuffixFunc,
	"try":          tryfunc.TryFunc,
	"upper":        stdlib.UpperFunc,
	"values":       stdlib.ValuesFunc,
	"zipmap":       stdlib.ZipmapFunc,
}

// FunctionNames lists what an expression may call.
func FunctionNames() []string {
	names := append(slices.Collect(maps.Keys(functions)), "file")
	slices.Sort(names)
	return names
}

// cidrHost is cidrhost(network, number): the address with that number in the
// network; a negative number counts from its end.
var cidrHost = ofNetwork(func(network netip.Prefix, args []cty.Value) (string, error) {
	addr, err := offset(network.Addr(), args[0], network.Addr().BitLen()-network.Bits(), 0)
	return addr.String(), err
}, "number")

// cidrSubnet is cidrsubnet(network, bits, number): the network with that
// number among those that have so many bits more.
var cidrSubnet = ofNetwork(func(network netip.Prefix, args []cty.Value) (string, error) {
	room := network.Addr().BitLen() - network.Bits()
	more, exact := args[0].AsBigFloat().Int64()
	if exact != big.Exact || more < 0 || more > int64(room) {
		return "", function.NewArgErrorf(1, "%s has room for 0 to %d bits more", network, room)
	}
	addr, err := offset(network.Addr(), args[1], int(more), room-int(more))
	return netip.PrefixFrom(addr, network.Bits()+int(more)).String(), err
}, "bits", "number")

// ofNetwork is a function of a network and of some numbers.
func ofNetwork(f func(network netip.Prefix, args []cty.Value) (string, error), numbers ...string) function.Function {
	params := []function.Parameter{{Name: "network", Type: cty.String}}
	for _, name := range numbers {
		params = append(params, function.Parameter{Name: name, Type: cty.Number})
	}
	return function.New(&function.Spec{
		Params: params,
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			network, err := netip.ParsePrefix(args[0].AsString())
			if err != nil {
				return cty.NilVal, function.NewArgErrorf(0, "%q is not a network such as 10.13.0.0/24", args[0].AsString())
			}
			text, err := f(network.Masked(), args[1:])
			if err != nil {
				return cty.NilVal, err
			}
			return cty.StringVal(text), nil
		},
	})
}

// offset adds number, which must fit in bits, to base, shift bits from the
// right.
func offset(base netip.Addr, number cty.Value, bits, shift int) (netip.Addr, error) {
	n, exact := number.AsBigFloat().Int(nil)
	size := new(big.Int).Lsh(big.NewInt(1), uint(bits))
	if n != nil && n.Sign() < 0 {
		n.Add(n, size)
	}
	if n == nil || exact != big.Exact || n.Sign() < 0 || n.Cmp(size) >= 0 {
		return base, fmt.Errorf("there is no number %s among %s", number.AsBigFloat().Text('f', -1), size)
	}
	sum := n.Lsh(n, uint(shift))
	sum.Add(sum, new(big.Int).SetBytes(base.AsSlice()))
	addr, _ := netip.AddrFromSlice(sum.FillBytes(make([]byte, base.BitLen()/8)))
	return addr, nil
}

// fileFunction is file(path): the text of a file. Every path that it reads is
// given to read, which returns the bytes.
func fileFunction(read func(path string) ([]byte, error)) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			text, err := read(args[0].AsString())
			if err != nil {
				return cty.NilVal, err
			}
			if !utf8.Valid(text) {
				return cty.NilVal, errors.New("the file is not text in UTF-8")
			}
			return cty.StringVal(string(text)), nil
		},
	})
}
