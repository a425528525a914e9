package dashboards

import (
	"os"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestProvisioning reads the two files as Grafana does.
func TestProvisioning(t *testing.T) {
	var sources struct {
		APIVersion  int `yaml:"apiVersion"`
		Datasources []struct {
			Name, Type, Access, URL string
			JSONData                struct {
				TimeInterval string `yaml:"timeInterval"`
			} `yaml:"jsonData"`
		}
	}
	readYAML(t, "provisioning/datasources.yml", &sources)
	if d := sources.Datasources; sources.APIVersion != 1 || len(d) != 1 || d[0].Type != chosen.Type || d[0].URL == "" || d[0].JSONData.TimeInterval == "" {
		t.Errorf("datasources.yml: %+v, want a Prometheus with its scrape interval", sources)
	}
	var boards struct {
		APIVersion int `yaml:"apiVersion"`
		Providers  []struct {
			Name, Type     string
			AllowUIUpdates bool `yaml:"allowUiUpdates"`
			Options        struct{ Path string }
		}
	}
	readYAML(t, "provisioning/dashboards.yml", &boards)
	if p := boards.Providers; boards.APIVersion != 1 || len(p) != 1 || p[0].Type != "file" || p[0].AllowUIUpdates || p[0].Options.Path == "" {
		t.Errorf("dashboards.yml: %+v, want files that are not edited in Grafana", boards)
	}
}

func readYAML(t *testing.T, path string, v any) {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(data, v); err != nil {
		t.Fatal(err)
	}
}
