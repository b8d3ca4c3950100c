package diff

// maxEdits is how many insertions and deletions are looked for. The search
// keeps a state for each, so that memory grows with its square (8 MiB here);
// what differs more is replaced as a whole.
const maxEdits = 1000

// common returns the pairs of indices of a longest common subsequence of a and
// b, by E. Myers, "An O(ND) Difference Algorithm" (1986).
func common[T comparable](a, b []T) [][2]int {
	var out [][2]int
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		out = append(out, [2]int{head, head})
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	for _, pair := range myers(a[head:len(a)-tail], b[head:len(b)-tail]) {
		out = append(out, [2]int{pair[0] + head, pair[1] + head})
	}
	for i := tail; i > 0; i-- {
		out = append(out, [2]int{len(a) - i, len(b) - i})
	}
	return out
}

// myers returns nil where a and b differ in more than maxEdits items.
func myers[T comparable](a, b []T) [][2]int {
	if len(a) == 0 || len(b) == 0 {
		return nil
	}
	most := min(len(a)+len(b), maxEdits)
	reach := make([]int, 2*most+3) // by diagonal: how far a is used up
	at := func(k int) *int { return &reach[k+most+1] }
	var rounds [][]int // reach of the diagonals -d to d before round d
	for d := range most + 1 {
		rounds = append(rounds, append([]int(nil), reach[most-d:most+d+3]...))
		for k := -d; k <= d; k += 2 {
			x := 0
			switch {
			case d == 0:
			case k == -d || k != d && *at(k - 1) < *at(k + 1):
				x = *at(k + 1)
			default:
				x = *at(k - 1) + 1
			}
			for x < len(a) && x-k < len(b) && a[x] == b[x-k] {
				x++
			}
			*at(k) = x
			if x >= len(a) && x-k >= len(b) {
				return retrace(a, b, rounds)
			}
		}
	}
	return nil
}

// retrace walks from the end of both back through the rounds.
func retrace[T comparable](a, b []T, rounds [][]int) [][2]int {
	var out [][2]int
	x, y := len(a), len(b)
	for d := len(rounds) - 1; d >= 0; d-- {
		before := func(k int) int { return rounds[d][k+d+1] }
		k := x - y
		from := k - 1
		if d > 0 && (k == -d || k != d && before(k-1) < before(k+1)) {
			from = k + 1
		}
		startX, startY := 0, 0
		if d > 0 {
			startX = before(from)
			startY = startX - from
		}
		// The snake after the one edit of this round.
		snakeX := startX
		if d > 0 && from == k-1 {
			snakeX++
		}
		for x > snakeX {
			x, y = x-1, y-1
			out = append(out, [2]int{x, y})
		}
		x, y = startX, startY
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}
