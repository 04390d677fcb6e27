//! The log loss of a pair of scale and bias, and Newton's method on it.

const NEWTON_STEPS: usize = 50;

pub(super) type Pair = [f64; 2];

/// Log loss with first and second derivatives in (scale, bias).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Loss {
    pub(super) value: f64,
    slope: Pair,
    curve: [f64; 3],
}

impl Loss {
    pub(super) fn add(&mut self, [scale, bias]: Pair, logit: f32, positive: bool) {
        let z = f64::from(logit);
        let u = scale * z + bias;
        let small = (-u.abs()).exp();
        let p = if u >= 0.0 {
            1.0 / (1.0 + small)
        } else {
            small / (1.0 + small)
        };
        let y = f64::from(u8::from(positive));
        self.value += u.max(0.0) + small.ln_1p() - y * u;
        let (gap, weight) = (p - y, p * (1.0 - p));
        self.slope[0] += gap * z;
        self.slope[1] += gap;
        self.curve[0] += weight * z * z;
        self.curve[1] += weight * z;
        self.curve[2] += weight;
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.value += other.value;
        for (sum, add) in self.slope.iter_mut().zip(other.slope) {
            *sum += add;
        }
        for (sum, add) in self.curve.iter_mut().zip(other.curve) {
            *sum += add;
        }
    }

    /// Adds `precision / 2 · |pair − center|²`.
    pub(super) fn with_prior(mut self, pair: Pair, center: Pair, precision: f64) -> Self {
        for at in 0..2 {
            let gap = pair[at] - center[at];
            self.value += 0.5 * precision * gap * gap;
            self.slope[at] += precision * gap;
        }
        self.curve[0] += precision;
        self.curve[2] += precision;
        self
    }
}

impl Loss {
    /// The same where the scale is held: only the bias moves.
    pub(super) fn at_this_scale(mut self) -> Self {
        self.slope[0] = 0.0;
        self.curve = [1.0, 0.0, self.curve[2]];
        self
    }
}

/// Newton's method with step halving on a convex loss.
pub(super) fn minimise(start: Pair, loss: impl Fn(Pair) -> Loss) -> Pair {
    let mut pair = start;
    let mut here = loss(pair);
    for _ in 0..NEWTON_STEPS {
        let [aa, ab, bb] = here.curve;
        // A trace of ridge: with all logits equal the curvature has rank one.
        let ridge = 1e-9 * (aa + bb) + 1e-12;
        let (aa, bb) = (aa + ridge, bb + ridge);
        let det = aa * bb - ab * ab;
        let [ga, gb] = here.slope;
        let step = [(bb * ga - ab * gb) / det, (aa * gb - ab * ga) / det];
        let decrease = step[0] * ga + step[1] * gb;
        if decrease.is_nan() || decrease <= 1e-10 * (1.0 + here.value.abs()) {
            break;
        }
        let mut size = 1.0;
        loop {
            let next = [pair[0] - size * step[0], pair[1] - size * step[1]];
            let there = loss(next);
            if there.value <= here.value - 1e-4 * size * decrease {
                (pair, here) = (next, there);
                break;
            }
            size *= 0.5;
            if size < 1e-6 {
                return pair;
            }
        }
    }
    pair
}
