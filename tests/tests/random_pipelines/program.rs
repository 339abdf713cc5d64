//! A pipeline of a list of steps: each takes streams that are there already and adds one.
//!
//! A step names its streams by numbers that are taken modulo those that fit, so any list of steps is a pipeline, also one that
//! shrinking has left things out of. A step that would make too much of too little is passed over.

use super::operator::{Kind, Operator, Span, operators};
use proptest::{prelude::*, sample::Index};
use std::fmt;

/// How many sources there are.
pub const SOURCES: usize = 2;
/// The longest slide, in batches.
const SLIDE_MAX: u64 = 6;
/// How many copies of an input record a stream may hold, roughly.
const WEIGHT_MAX: u64 = 60;

/// A step as it is drawn.
#[derive(Clone, Debug)]
pub struct Step {
    operator: Operator,
    streams: [Index; 3],
    observed: bool,
}

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (operators(), any::<[Index; 3]>(), any::<bool>())
        .prop_map(|(operator, streams, observed)| Step { operator, streams, observed });
    proptest::collection::vec(step, 1..20)
}

/// A stream of a pipeline.
#[derive(Clone, Debug)]
pub struct Node {
    /// With its window and slide in batches.
    pub operator: Operator,
    pub parents: Vec<usize>,
    /// From batch to batch, in batches.
    pub slide: u64,
    /// Whether it has an output.
    pub observed: bool,
    kind: Kind,
    weight: u64,
}

/// A pipeline; the sources come first.
#[derive(Clone, Debug)]
pub struct Program {
    pub nodes: Vec<Node>,
}

impl Program {
    pub fn of(steps: &[Step]) -> Self {
        let source = |index| Node {
            operator: Operator::Source(index),
            parents: Vec::new(),
            slide: 1,
            observed: true,
            kind: Kind::Numbers,
            weight: 1,
        };
        let mut program = Self { nodes: (0..SOURCES).map(source).collect() };
        for step in steps {
            program.add(step);
        }
        // Nobody looks at what is behind it.
        program.nodes.last_mut().expect("there are sources").observed = true;
        program
    }

    fn add(&mut self, step: &Step) {
        let mut operator = step.operator;
        let (from, kind) = operator.kinds();
        let fitting: Vec<usize> =
            (0..self.nodes.len()).filter(|node| self.nodes[*node].kind == from).collect();
        if fitting.is_empty() {
            return;
        }
        let first = *step.streams[0].get(&fitting);
        let slide = self.nodes[first].slide;
        let alike: Vec<usize> = fitting.into_iter().filter(|node| self.nodes[*node].slide == slide).collect();
        let others = step.streams.iter().take(operator.parents()).skip(1).map(|index| *index.get(&alike));
        let parents: Vec<usize> = [first].into_iter().chain(others).collect();
        let weights = parents.iter().map(|parent| self.nodes[*parent].weight);
        let mut node_slide = slide;
        let mut weight = match operator {
            Operator::Join | Operator::LeftOuterJoin | Operator::RightOuterJoin | Operator::FullOuterJoin => {
                weights.product::<u64>() * 3
            }
            _ => weights.sum(),
        };
        if let Some(span) = operator.span() {
            weight *= span.window;
            *span = Span { window: span.window * slide, slide: span.slide * slide };
            if span.slide > SLIDE_MAX {
                span.slide = slide;
            }
            node_slide = span.slide;
        }
        if weight <= WEIGHT_MAX {
            self.nodes.push(Node {
                operator,
                parents,
                slide: node_slide,
                observed: step.observed,
                kind,
                weight,
            });
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Node { operator, parents, slide, observed, .. }) in self.nodes.iter().enumerate() {
            let output = if *observed { ", observed" } else { "" };
            writeln!(f, "{index}: {operator:?} of {parents:?}, every {slide}{output}")?;
        }
        Ok(())
    }
}
