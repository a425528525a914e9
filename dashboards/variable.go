package dashboards

// A Variable is a choice at the top of a board.
type Variable struct {
	Name, Label string
	Values      string // the label_values() that lists the choices; "" for the data source
	Many        bool   // more than one may be chosen, and all are at first
}

// The choices that the boards have. Boards share their names, so that a choice
// goes along from board to board.
var (
	source = Variable{Name: "datasource", Label: "Data source"}

	anyCluster = Variable{Name: "cluster", Label: "Cluster", Many: true, Values: `label_values(systole_node_info, cluster)`}
	oneCluster = Variable{Name: "cluster", Label: "Cluster", Values: `label_values(systole_node_info, cluster)`}
	node       = Variable{Name: "node", Label: "Node", Many: true, Values: `label_values(systole_node_info{cluster="$cluster"}, node)`}
	link       = Variable{Name: "link", Label: "Link", Many: true, Values: `label_values(systole_link_info{cluster="$cluster", node=~"$node"}, link)`}
	job        = Variable{Name: "job", Label: "Job", Many: true, Values: `label_values(systole_node_info{cluster="$cluster"}, job)`}
)

// Matchers for $here.
const (
	hereClusters = `cluster=~"$cluster"`
	hereNodes    = `cluster="$cluster", node=~"$node"`
	hereLinks    = `cluster="$cluster", node=~"$node", link=~"$link"`
)

// json is the variable as Grafana saves it. No choice is saved with it: the
// first data source, the first cluster and all of the rest are taken.
func (v Variable) json() map[string]any {
	m := map[string]any{
		"name": v.Name, "label": v.Label, "hide": 0, "skipUrlSync": false,
		"multi": v.Many, "includeAll": v.Many, "refresh": 2, "regex": "", "options": []any{}, "current": map[string]any{},
	}
	if v.Values == "" {
		m["type"], m["query"], m["refresh"] = "datasource", "prometheus", 1
		return m
	}
	m["type"], m["definition"], m["datasource"], m["sort"] = "query", v.Values, prometheus(), 1
	m["query"] = map[string]any{"query": v.Values, "refId": "StandardVariableQuery"}
	if v.Many {
		m["allValue"] = ".+"
		m["current"] = map[string]any{"selected": true, "text": []string{"All"}, "value": []string{"$__all"}}
	}
	return m
}

func prometheus() map[string]any {
	return map[string]any{"type": "prometheus", "uid": "${datasource}"}
}
