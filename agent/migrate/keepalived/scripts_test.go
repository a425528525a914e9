package keepalived

import "testing"

func TestServiceOf(t *testing.T) {
	for _, tt := range []struct {
		text, name, verb string
		ok               bool
	}{
		{"/usr/bin/systemctl start nginx", "nginx", "start", true},
		{"systemctl --no-block stop nginx.service", "nginx", "stop", true},
		{"sudo systemctl restart haproxy", "haproxy", "start", true},
		{"service postfix start", "postfix", "start", true},
		{"/etc/init.d/postfix stop", "postfix", "stop", true},
		{"sh -c 'systemctl start nginx'", "nginx", "start", true},
		{"systemctl start nginx && mail root", "", "", false},
		{"systemctl start nginx postfix", "", "", false},
		{"systemctl reload nginx", "", "", false},
		{"/etc/keepalived/notify.sh start", "", "", false},
		{"", "", "", false},
	} {
		s, ok := serviceOf(tt.text)
		if ok != tt.ok || ok && (s.name != tt.name || s.verb != tt.verb) {
			t.Errorf("%q: got %v %v, want %s %s %v", tt.text, s, ok, tt.verb, tt.name, tt.ok)
		}
	}
}

func TestWatchedService(t *testing.T) {
	for text, want := range map[string]string{
		"killall -0 haproxy":                     "haproxy",
		"/usr/bin/killall -0 haproxy":            "haproxy",
		"/sbin/pidof nginx":                      "nginx",
		"pgrep -x mysqld":                        "mysqld",
		"systemctl is-active --quiet apache2":    "apache2",
		"service named status":                   "named",
		"killall haproxy":                        "",
		"killall -0 nginx && exit 0 || exit 1":   "",
		"/etc/keepalived/check_nginx.sh":         "",
		"/usr/bin/curl -sf http://localhost/":    "",
		"[[ `ps -ef | grep nginx | wc -l` -ge 2": "",
	} {
		got, ok := watchedService(text)
		if !ok {
			got = ""
		}
		if got != want {
			t.Errorf("%q watches %q, want %q", text, got, want)
		}
	}
}

func TestPinged(t *testing.T) {
	for text, want := range map[string]string{
		"/bin/ping -c 1 -W 1 192.0.2.254 >/dev/null 2>&1": "192.0.2.254",
		"ping -c1 192.0.2.254":                            "192.0.2.254",
		"ping6 -c 1 2001:db8::1":                          "2001:db8::1",
		"ping -c1 gateway":                                "",
		"ping -c1 192.0.2.254 && true":                    "",
		"nc -z 192.0.2.254 80":                            "",
	} {
		got := ""
		if a, ok := pinged(text); ok {
			got = a.String()
		}
		if got != want {
			t.Errorf("%q pings %q, want %q", text, got, want)
		}
	}
}
