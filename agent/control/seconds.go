package control

import (
	"encoding/json"
	"math"
	"strconv"
	"time"
)

// Seconds is a duration that JSON writes as a number of seconds. What was
// written reads back as the same whole number of nanoseconds, up to 104 days.
type Seconds time.Duration

// MarshalJSON writes as few digits as will do, never an exponent.
func (s Seconds) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, time.Duration(s).Seconds(), 'f', -1, 64), nil
}

// UnmarshalJSON reads any number.
func (s *Seconds) UnmarshalJSON(b []byte) error {
	var f float64
	if err := json.Unmarshal(b, &f); err != nil {
		return err
	}
	*s = Seconds(math.Round(f * float64(time.Second)))
	return nil
}
