//! Which of the pieces that may survive do.

/// Numbers that look random and are the same every time.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        // Small seeds differ in few bits at first.
        for _ in 0..8 {
            dice.roll();
        }
        dice
    }

    pub(crate) fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.roll() % end.max(1) as u64) as usize
    }
}

/// About how many different disks so many pieces can make.
pub(crate) fn capacity(pieces: usize) -> usize {
    1 << pieces.min(20)
}

/// Divides a budget: no share is larger than it can be used, and what that leaves goes to the others.
pub(crate) fn share(budget: usize, capacities: &[usize]) -> Vec<usize> {
    let (mut low, mut high) = (0, budget.max(1));
    while low < high {
        let level = usize::midpoint(low, high) + 1;
        if capacities.iter().map(|capacity| (*capacity).min(level)).sum::<usize>() <= budget {
            low = level;
        } else {
            high = level - 1;
        }
    }
    capacities.iter().map(|capacity| (*capacity).min(low).max(2)).collect()
}

/// Selections of `pieces`, at most a few times `budget` of them; and whether what is lost of new blocks shows garbage.
pub(crate) fn selections(pieces: usize, budget: usize, seed: u64) -> impl Iterator<Item = (Vec<bool>, bool)> {
    let none = vec![false; pieces];
    let all = vec![true; pieces];
    let fixed = [(none.clone(), false), (all, false), (none, true)];
    // In order, in reverse order, one alone, all but one: at a few places if there are many.
    let places = move |seed: u64| {
        let mut dice = Dice::new(seed);
        let some = (budget / 8).max(1);
        (0..some.min(pieces)).map(move |at| if some < pieces { dice.below(pieces) } else { at })
    };
    let ordered = places(seed).flat_map(move |place| {
        let pick = move |keep: &dyn Fn(usize) -> bool| (0..pieces).map(keep).collect::<Vec<_>>();
        [
            (pick(&|at| at < place), false),
            (pick(&|at| at >= place), false),
            (pick(&|at| at == place), true),
            (pick(&|at| at != place), place % 2 == 1),
        ]
    });
    let mut dice = Dice::new(!seed);
    // Few, half or most of them.
    let random = (0..budget * 3).map(move |round| {
        let odds = [1, 4, 7][round % 3];
        ((0..pieces).map(|_| dice.below(8) < odds).collect(), dice.below(3) == 0)
    });
    fixed.into_iter().chain(ordered).chain(random)
}
