//! The items of a FETCH response, without a tree of them.

use smallvec::SmallVec;

use crate::event::{Said, Step, Value};

/// An item of a FETCH response, with its value.
pub struct Item<'a> {
    /// `UID`, `BODY[HEADER]`.
    pub name: Value<'a>,
    /// A value that is no list; of a list, its members that are none.
    pub values: SmallVec<[Value<'a>; 2]>,
    /// Whether the value is a list.
    pub is_list: bool,
}

impl Item<'_> {
    /// The number that is its value: `UID 17`, `MODSEQ (17)`.
    pub fn number(&self) -> Option<u64> {
        self.values.first()?.number()
    }
}

/// The items `S: * 3 FETCH (UID 17 FLAGS (\Seen))` has. Of lists in lists nothing is kept.
pub fn items(said: &Said) -> Vec<Item<'_>> {
    let mut items: Vec<Item<'_>> = Vec::new();
    let mut depth = 0;
    let mut named = false;
    for step in said.argument_steps() {
        match step {
            Step::Open => {
                depth += 1;
                if depth == 2 && named {
                    items
                        .iter_mut()
                        .last()
                        .into_iter()
                        .for_each(|item| item.is_list = true);
                }
            }
            Step::Close => {
                depth -= 1;
                if depth == 1 {
                    named = false;
                }
            }
            Step::Value(name) if depth == 1 && !named => {
                named = true;
                items.push(Item {
                    name,
                    values: SmallVec::new(),
                    is_list: false,
                });
            }
            Step::Value(value) if depth <= 2 && named => {
                if let Some(item) = items.last_mut() {
                    item.values.push(value);
                }
                named = depth == 2;
            }
            Step::Value(_) => {}
        }
    }
    items
}
