//! The command over the shipped subject and the gallery.

fn main() {}
