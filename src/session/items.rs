//! The items of a FETCH response, without a tree of them.

use smallvec::SmallVec;

use crate::event::{Said, Step, Steps, Value};

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
pub fn items(said: &Said) -> Items<'_> {
    Items {
        steps: said.argument_steps(),
        depth: 0,
    }
}

/// Items one by one, in their order.
pub struct Items<'a> {
    steps: Steps<'a, 'a>,
    /// How many lists are open.
    depth: usize,
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        let name = self.name()?;
        let mut item = Item {
            name,
            values: SmallVec::new(),
            is_list: false,
        };
        match self.steps.next() {
            Some(Step::Value(value)) => item.values.push(value),
            Some(Step::Open) => {
                self.depth += 1;
                item.is_list = true;
                self.members(&mut item);
            }
            Some(Step::Close) => self.depth -= 1,
            None => {}
        }
        Some(item)
    }
}

impl<'a> Items<'a> {
    /// The next word that stands where a name does.
    fn name(&mut self) -> Option<Value<'a>> {
        loop {
            match self.steps.next()? {
                Step::Open => self.depth += 1,
                Step::Close => self.depth -= 1,
                Step::Value(name) if self.depth == 1 => return Some(name),
                Step::Value(_) => {}
            }
        }
    }

    fn members(&mut self, item: &mut Item<'a>) {
        while self.depth > 1 {
            match self.steps.next() {
                Some(Step::Open) => self.depth += 1,
                Some(Step::Close) => self.depth -= 1,
                Some(Step::Value(value)) if self.depth == 2 => item.values.push(value),
                Some(Step::Value(_)) => {}
                None => return,
            }
        }
    }
}
