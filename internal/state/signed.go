package state

import "fmt"

const (
	signedName    = "signed.json" // the file in the state directory
	signedVersion = 1
)

// A signedFile is the file's format.
type signedFile struct {
	Version int `json:"version"`
	// Sequence is a vrrp.Sequence that no advert of this director was signed after.
	Sequence uint64 `json:"sequence"`
}

func (f *signedFile) valid() error {
	if f.Version != signedVersion {
		return fmt.Errorf("it has version %d, but this lvsd supports only version %d", f.Version, signedVersion)
	}
	return nil
}

// Signed returns the sequence that was saved last; zero: none was. A file that cannot be
// understood is put aside under the name that the error tells.
func (s *Store) Signed() (uint64, error) {
	var file signedFile
	if err := s.read(signedName, &file, file.valid); err != nil {
		return 0, fmt.Errorf("reading the last sequence of signed adverts: %w", err)
	}
	return file.Sequence, nil
}

// SaveSigned replaces it.
func (s *Store) SaveSigned(sequence uint64) error {
	if err := s.write(signedName, signedFile{signedVersion, sequence}); err != nil {
		return fmt.Errorf("saving the last sequence of signed adverts: %w", err)
	}
	return nil
}
