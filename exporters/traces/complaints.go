package traces

import "github.com/systole-ha/systole/exporters/internal/collector"

// Complaints are those of the SDK and of exports.
type complaints = collector.Complaints

func newComplaints(report func(error)) *complaints { return collector.NewComplaints(report) }
