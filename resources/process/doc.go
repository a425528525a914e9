// Package process runs programs that others wrote for what is done to
// resources: scripts, agents of devices, tools.
//
// This daemon is no good parent. It is scheduled in real time, the kernel's
// killer of processes spares it, and it lives in a sandbox without most rights;
// its children would have all of that from it, and be killed with it. So what
// is done to a resource is a Job, which a Runner has done elsewhere: systemd, in
// a unit of its own. Direct is for when systemd cannot be reached.
package process
