use super::TaskId;

/// The name of a new task: the one it was given, or one after its number, made different from all that are taken.
pub(super) fn unique(name: Option<&str>, id: TaskId, taken: impl Fn(&str) -> bool) -> String {
    let wanted = name.map_or_else(|| format!("thread{}", id.0), str::to_owned);
    let mut name = wanted.clone();
    let mut count = 1;
    while taken(&name) {
        count += 1;
        name = format!("{wanted}-{count}");
    }
    name
}
