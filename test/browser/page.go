package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// A Page is one tab.
type Page struct {
	b       *Browser
	session string

	mu         sync.Mutex
	complaints []string
}

// Open opens an empty tab.
func (b *Browser) Open(ctx context.Context) (*Page, error) {
	var target struct {
		TargetID string `json:"targetId"`
	}
	if err := b.call(ctx, "", "Target.createTarget", map[string]any{"url": "about:blank"}, &target); err != nil {
		return nil, err
	}
	var attached struct {
		SessionID string `json:"sessionId"`
	}
	attach := map[string]any{"targetId": target.TargetID, "flatten": true}
	if err := b.call(ctx, "", "Target.attachToTarget", attach, &attached); err != nil {
		return nil, err
	}
	p := &Page{b: b, session: attached.SessionID}
	b.mu.Lock()
	b.heard = p.hear
	b.mu.Unlock()
	for _, domain := range []string{"Page", "Runtime", "Log"} {
		if err := p.Do(ctx, domain+".enable", nil); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// hear keeps what the browser has against the page: exceptions, what its policy
// forbids, what could not be loaded.
func (p *Page) hear(m message) {
	if m.Session != p.session || m.Method != "Log.entryAdded" && m.Method != "Runtime.exceptionThrown" {
		return
	}
	text, _ := json.Marshal(m.Params) // it came as JSON
	p.mu.Lock()
	defer p.mu.Unlock()
	p.complaints = append(p.complaints, string(text))
}

// Complaints are those since the last call.
func (p *Page) Complaints() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.complaints
	p.complaints = nil
	return all
}

// Do gives a command of the protocol whose answer says nothing.
func (p *Page) Do(ctx context.Context, method string, params any) error {
	return p.b.call(ctx, p.session, method, params, nil)
}

// Go loads a page and returns when it has begun.
func (p *Page) Go(ctx context.Context, url string) error {
	var answer struct {
		ErrorText string `json:"errorText"`
	}
	if err := p.b.call(ctx, p.session, "Page.navigate", map[string]any{"url": url}, &answer); err != nil {
		return err
	}
	if answer.ErrorText != "" {
		return fmt.Errorf("%s: %s", url, answer.ErrorText)
	}
	return nil
}

// Eval is the value of an expression of JavaScript in the page, for people:
// texts as they are, everything else as JSON.
func (p *Page) Eval(ctx context.Context, expression string) (string, error) {
	var answer struct {
		Result struct {
			Value json.RawMessage `json:"value"`
		} `json:"result"`
		Exception *struct {
			Text string `json:"text"`
		} `json:"exceptionDetails"`
	}
	params := map[string]any{"expression": expression, "returnByValue": true}
	if err := p.b.call(ctx, p.session, "Runtime.evaluate", params, &answer); err != nil {
		return "", err
	}
	if answer.Exception != nil {
		return "", fmt.Errorf("%s: %s", expression, answer.Exception.Text)
	}
	var text string
	if json.Unmarshal(answer.Result.Value, &text) == nil {
		return text, nil
	}
	return string(answer.Result.Value), nil
}

// Await waits until an expression has a value, and looks fifty times a second.
func (p *Page) Await(ctx context.Context, expression, want string) error {
	for {
		got, err := p.Eval(ctx, expression)
		if err == nil && got == want {
			return nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("%s is %q, %v; want %q", expression, got, err, want)
		}
	}
}

// Screenshot is a picture of what the window shows of the page, as PNG.
func (p *Page) Screenshot(ctx context.Context) ([]byte, error) {
	var answer struct {
		Data []byte `json:"data"`
	}
	err := p.b.call(ctx, p.session, "Page.captureScreenshot", map[string]any{"format": "png"}, &answer)
	return answer.Data, err
}

// Size makes the window so wide and high, in pixels of a screen of usual
// density.
func (p *Page) Size(ctx context.Context, width, height int) error {
	return p.Do(ctx, "Emulation.setDeviceMetricsOverride", map[string]any{
		"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600,
	})
}
