//! What was probably meant.

/// The candidate that a word is a beginning of, or differs from by at most two letters; none when nothing is near.
pub(super) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.chars().count() > LONGEST {
        return None;
    }
    let word: Vec<char> = word.to_ascii_lowercase().chars().collect();
    let scored = candidates.into_iter().filter_map(|candidate| {
        let letters: Vec<char> = candidate.to_ascii_lowercase().chars().collect();
        let cost = if word.len() > 4 && letters.starts_with(&word) { 0 } else { distance(&word, &letters) };
        (cost <= MOST && cost < word.len()).then_some((cost, candidate))
    });
    scored.min_by_key(|(cost, _)| *cost).map(|(_, candidate)| candidate)
}

/// Letters to insert, delete or replace to turn one word into the other.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

const LONGEST: usize = 40;
const MOST: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_and_mistyped_words_find_theirs() {
        let types = ["REG_DWORD", "REG_DWORD_BIG_ENDIAN", "REG_SZ", "REG_MULTI_SZ"];
        assert_eq!(nearest("REG_DWO", types), Some("REG_DWORD"));
        assert_eq!(nearest("reg_dwrod", types), Some("REG_DWORD"));
        assert_eq!(nearest("REG_MULTI", types), Some("REG_MULTI_SZ"));
        assert_eq!(nearest("bcddit", ["bcdedit", "icacls"]), Some("bcdedit"));
        assert_eq!(nearest("4", ["1"]), None);
    }
}
