package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/systole-ha/systole/cmd/systole/board"
)

// A topView is what systole top shows at one instant.
type topView struct {
	board         board.Board
	width, height int
	glyphs        glyphs
	chosen        uint64 // takeover, by its number; 0 for the newest
	help          bool
}

// The least that can be drawn, in characters.
const (
	topLeastWidth  = 40
	topLeastHeight = 10
)

// A section is one part of the screen: a heading and rows, of which the first
// ones are the most important.
type section struct {
	heading row
	rows    []row
	least   int  // rows that it has before others get more than that
	endless bool // nobody wants to know how much more there is
}

// draw fills the screen, row by row.
func (v topView) draw() []row {
	if v.width < topLeastWidth || v.height < topLeastHeight {
		return []row{words("systole top needs 40 x 10 characters", stylePlain).cut(v.width)}
	}
	rows := v.head()
	last := v.foot()
	if v.help {
		rows = append(rows, topHelp...)
	} else {
		rows = append(rows, share(v.sections(), v.height-len(rows)-1)...)
	}
	for len(rows) < v.height-1 {
		rows = append(rows, row{})
	}
	rows = append(rows[:v.height-1], last)
	for i := range rows {
		rows[i] = rows[i].cut(v.width)
	}
	return rows
}

// head says of what this is a picture, and what wants attention.
func (v topView) head() []row {
	b := v.board
	if b.Node == "" {
		return []row{words(" systole top", stylePlain).fill(v.width, styleHead)}
	}
	title := fmt.Sprintf(" cluster %s, node %s is %s", b.Cluster, b.Node, b.State)
	clock := b.Time.Format(time.TimeOnly) + " "
	if b.Problem != "" {
		clock = "as of " + clock
	}
	room := v.width - len(clock)
	first := append(words(v.glyphs.text(title), 0).fill(room, styleHead), span{clock, styleHead})
	rows := []row{first, words(v.glyphs.text(fmt.Sprintf(" systole %s, up %s; %s", b.Version, b.Up, b.Timing)), styleFaint)}
	if b.Problem != "" {
		rows = append(rows, words(v.glyphs.text("! no answer: "+b.Problem), styleClose))
	}
	most := max(1, v.height/6)
	for i, n := range b.Notices {
		if i == most-1 && len(b.Notices) > most {
			return append(rows, words(fmt.Sprintf("! and %d more: systole status", len(b.Notices)-i), styleClose))
		}
		style := styleBold
		if n.Bad {
			style = styleClose
		}
		rows = append(rows, words(v.glyphs.text(n.Mark()+" "+n.Text), style))
	}
	return rows
}

func (v topView) foot() row {
	if v.board.Node == "" {
		return words(" q quit  ? help", stylePlain).fill(v.width, styleHead)
	}
	return words(" q quit  ? help  up, down: another takeover", stylePlain).fill(v.width, styleHead)
}

var topHelp = []row{
	{},
	words("  q          quit", stylePlain),
	words("  up, down   show another takeover; tab, j, k as well", stylePlain),
	words("  ?          this page, and back", stylePlain),
	{},
	words("  SILENCE    time since the last heartbeat", stylePlain),
	words("  ROUNDTRIP  of the newest heartbeat, without the time that the peer held it", stylePlain),
	words("  LOSS       of the last five minutes", stylePlain),
	words("  WORST      the longest silence of the last five minutes, as a share of the", stylePlain),
	words("             deadtime: at 100% the node is declared dead. The line behind it", stylePlain),
	words("             shows when. Colours change at 50, 75 and 90%.", stylePlain),
	{},
	words("  A takeover's phases follow each other without gaps. silence and confirm are", stylePlain),
	words("  before the decision; the time in its headline begins with the decision.", stylePlain),
}

func (v topView) sections() []section {
	if v.board.Node == "" {
		return []section{{heading: row{}, rows: []row{words("  "+v.glyphs.text(v.board.Problem), styleBold)}, least: 1}}
	}
	return []section{v.nodes(), v.groups(), v.takeovers(), v.events()}
}

func (v topView) nodes() section {
	table := [][]row{{
		words("NODE", styleBold), words("STATE", styleBold), words("SILENCE", styleBold), words("ROUNDTRIP", styleBold),
		words("LOSS", styleBold), words("WORST", styleBold), words("LAST 5 MINUTES", styleBold),
	}}
	courses := []*board.Course{nil} // of the rows that have one
	for _, n := range v.board.Nodes {
		table = append(table, []row{
			words(v.glyphs.text(n.Name), stylePlain), state(n.State, n.Bad), words(n.Silence, stylePlain), words(n.RoundTrip, stylePlain), nil,
			worst(n.Course), words(v.glyphs.text(n.What), styleFaint),
		})
		courses = append(courses, n.Course)
		for _, l := range n.Links {
			if n.Self && !l.Bad {
				continue // a line for each of the others is worth more
			}
			table = append(table, []row{
				words("  "+v.glyphs.text(l.Name), stylePlain), state(l.State, l.Bad), words(l.Silence, stylePlain), words(l.RoundTrip, stylePlain),
				words(l.Loss, stylePlain), worst(l.Course), words(v.glyphs.text(l.What), styleFaint),
			})
			courses = append(courses, l.Course)
		}
	}
	rows := columns(v.drawCourses(table, courses))
	return section{heading: rows[0], rows: rows[1:], least: 6}
}

func worst(c *board.Course) row {
	if c == nil {
		return nil
	}
	return words(c.WorstText(), levelStyle(board.LevelOf(c.Worst())))
}

// drawCourses puts courses into the last column, as wide as the others leave it.
func (v topView) drawCourses(table [][]row, courses []*board.Course) [][]row {
	width := v.width
	for i := range table[0] {
		widest := 0
		for _, cells := range table {
			widest = max(widest, cells[i].width())
		}
		if i < len(table[0])-1 {
			width -= widest + 2
		}
	}
	for i, c := range courses {
		if c != nil {
			table[i][len(table[i])-1] = v.glyphs.sparkline(*c, max(1, min(60, width)))
		}
	}
	return table
}

// state is a word in capitals where it is bad: it must be seen without colours.
func state(s string, bad bool) row {
	if bad {
		return words(strings.ToUpper(s), styleClose)
	}
	return words(s, styleFine)
}

func (v topView) groups() section {
	table := [][]row{{
		words("GROUP", styleBold), words("HELD BY", styleBold), words("FOR", styleBold), words("HERE", styleBold), words("MEMBERS", styleBold),
	}}
	for _, g := range v.board.Groups {
		members := strings.Join(g.Members[min(1, len(g.Members)):], " ")
		if g.Failure != "" {
			members = g.Failure
		}
		table = append(table, []row{
			words(v.glyphs.text(g.Name), stylePlain), state(v.glyphs.text(g.HeldBy), g.Bad), words(g.For, stylePlain), state(g.Here, g.Here == "failed"),
			words(v.glyphs.text(members), stylePlain),
		})
	}
	rows := columns(table)
	return section{heading: rows[0], rows: rows[1:], least: 3}
}

// takeovers is a line for each, the chosen one with its phases.
func (v topView) takeovers() section {
	s := section{heading: words("TAKEOVERS", styleBold), least: 6}
	from := v.chosenPlace()
	for i, t := range v.board.Takeovers {
		if i < from-1 {
			continue // rows are cut at the end: the chosen one is never far from the beginning
		}
		mark, style := " ", stylePlain
		if i == from {
			mark = v.glyphs.chosen
		}
		if t.Bad {
			style = styleClose
		}
		s.rows = append(s.rows, words(v.glyphs.text(fmt.Sprintf("#%d %s %s", t.ID, t.Started.Format(time.TimeOnly), t.Story)), style))
		last := len(s.rows) - 1
		s.rows[last] = append(row{{mark + " ", styleBold}}, s.rows[last]...)
		if i == from {
			s.rows = append(s.rows, v.waterfall(t)...)
		}
	}
	if len(v.board.Takeovers) == 0 {
		s.rows = []row{words("  none since the daemon started", styleFaint)}
	}
	return s
}

// chosenPlace is where in the list the chosen takeover is; the newest where it
// is gone.
func (v topView) chosenPlace() int {
	for i, t := range v.board.Takeovers {
		if t.ID == v.chosen {
			return i
		}
	}
	return 0
}

// waterfallMargin is "    " phase "  " milliseconds " ms  ", in characters.
const waterfallMargin = 27

func (v topView) waterfall(t board.Takeover) []row {
	var rows []row
	width := min(100, v.width-waterfallMargin)
	for _, p := range t.Phases {
		from, to := int(p.From*float64(width)), int(p.To*float64(width))
		from = min(from, width-1)
		rows = append(rows, row{
			{fmt.Sprintf("    %-8s %9s ms  %s", v.glyphs.text(p.Name), p.Milliseconds(), strings.Repeat(" ", from)), stylePlain},
			{strings.Repeat(v.glyphs.bar, max(1, to-from)), styleBar},
		})
	}
	for _, f := range t.Failures {
		rows = append(rows, words("    ! "+v.glyphs.text(f), styleClose))
	}
	return rows
}

func (v topView) events() section {
	s := section{heading: words("EVENTS", styleBold), least: 3, endless: true}
	for _, e := range v.board.Events {
		style := stylePlain
		if e.Level > board.Fine {
			style = levelStyle(e.Level)
		}
		s.rows = append(s.rows, words(v.glyphs.text(fmt.Sprintf("%s %-8s %s", e.Time.Format(time.TimeOnly), e.Severity, e.Text)), style))
	}
	if len(v.board.Events) == 0 {
		s.rows = []row{words("  none yet", styleFaint)}
	}
	return s
}

// share gives sections their places in so many rows: first two to each, then its
// least, then the first ones all they need, and what is left to the last. A
// section that does not get all says how much is missing; the last ones are left
// out where there is not even that much room.
func share(sections []section, height int) []row {
	sections = sections[:min(len(sections), max(1, height/3))]
	given := make([]int, len(sections))
	left := height - len(sections) // their headings
	give := func(want func(section) int) {
		for i, s := range sections {
			more := max(0, min(want(s), len(s.rows), given[i]+left)-given[i])
			given[i], left = given[i]+more, left-more
		}
	}
	give(func(section) int { return 2 })
	give(func(s section) int { return s.least })
	give(func(s section) int { return len(s.rows) })
	var rows []row
	for i, s := range sections {
		rows = append(rows, s.heading)
		if hidden := len(s.rows) - given[i]; hidden > 0 && given[i] > 1 && !s.endless {
			rows = append(rows, s.rows[:given[i]-1]...)
			rows = append(rows, words(fmt.Sprintf("  ... %d more", hidden+1), styleFaint))
			continue
		}
		rows = append(rows, s.rows[:given[i]]...)
	}
	return rows
}
