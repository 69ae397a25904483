use super::{Point, Strategy};

/// Takes its choices from bytes, as a fuzzer gives them: a byte for each choice between several alternatives, modulo their
/// number. After the last one it goes on with alternative 0.
#[derive(Clone, Debug)]
pub struct Bytes {
    bytes: Vec<u8>,
    taken: usize,
}

impl Bytes {
    /// Takes them from these.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Bytes {
        Bytes { bytes: bytes.into(), taken: 0 }
    }
}

impl Strategy for Bytes {
    fn choose(&mut self, point: &Point<'_>) -> usize {
        let several = point.alternatives.len();
        if several == 1 {
            return 0;
        }
        let byte = self.bytes.get(self.taken).copied().unwrap_or(0);
        self.taken = self.taken.saturating_add(1);
        usize::from(byte) % several
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{branches, tasks};
    use super::*;

    #[test]
    fn a_byte_is_taken_where_there_is_a_choice_modulo_the_alternatives() {
        let mut bytes = Bytes::new([4, 0, 255]);
        let mut choose = |several| tasks(&vec![0; several], |point| bytes.choose(point));
        assert_eq!([choose(3), choose(1), choose(2), choose(255)], [1, 0, 0, 0]);
        assert_eq!(choose(7), 0, "after the end");
        let mut bytes = Bytes::new([5]);
        assert_eq!(branches(3, |point| bytes.choose(point)), 2);
    }
}
