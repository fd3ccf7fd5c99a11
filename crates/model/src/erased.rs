//! A module of any type as one Burn module: an encoder, or a method.
//!
//! Burn's modules are generic over who visits them, so they cannot be trait objects. This one lists a module's
//! parameters once and shows the list to the visitor; a mapper's results are put back in the same order.

use burn::module::{
    Content, Devices, Flag, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper,
    ModuleVisitor, Param,
};
use burn::prelude::*;
use burn::tensor::{Bool, Int};
use std::any::Any;
use std::collections::VecDeque;
use std::fmt;

/// A module of which only what it does is known: the trait object `T`.
pub struct Erased<T: ?Sized + 'static>(Box<dyn Parts<T>>);

impl<T: ?Sized + 'static> Erased<T> {
    pub(crate) fn new(module: impl Does<T> + Module + Sync + 'static) -> Self {
        Self(Box::new(module))
    }

    pub(crate) fn get(&self) -> &T {
        self.0.does()
    }
}

/// What a module does, as a trait object.
pub trait Does<T: ?Sized> {
    /// Itself.
    fn does(&self) -> &T;
}

/// A name under which a module is registered, checked.
///
/// # Panics
/// If it is not made of lowercase letters, digits and hyphens, or if it is a built-in one's.
pub(crate) fn check_name(what: &str, name: &str, built_in: bool) {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    assert!(
        !name.is_empty() && name.bytes().all(plain),
        "the name of a {what} is made of lowercase letters, digits and hyphens, not {name:?}"
    );
    assert!(!built_in, "there is a built-in {what} {name:?}");
}

/// The calls of `Module` that have no type parameters.
trait Parts<T: ?Sized>: Does<T> + Send + Sync + fmt::Debug {
    fn copy(&self) -> Box<dyn Parts<T>>;
    fn devices(&self, devices: Devices) -> Devices;
    fn fork(self: Box<Self>, device: &Device) -> Box<dyn Parts<T>>;
    fn moved(self: Box<Self>, device: &Device) -> Box<dyn Parts<T>>;
    fn train(self: Box<Self>) -> Box<dyn Parts<T>>;
    fn valid(&self) -> Box<dyn Parts<T>>;
    fn materialize(self: Box<Self>) -> Box<dyn Parts<T>>;
    /// Its parameters and the modules around them, in the order in which Burn visits them.
    fn parts(&self) -> Vec<Part>;
    /// The same module with other parameters, in that order.
    fn replaced(self: Box<Self>, params: VecDeque<Box<dyn Any>>) -> Box<dyn Parts<T>>;
}

impl<T: ?Sized, M: Does<T> + Module + Sync + 'static> Parts<T> for M {
    fn copy(&self) -> Box<dyn Parts<T>> {
        Box::new(self.clone())
    }

    fn devices(&self, devices: Devices) -> Devices {
        self.collect_devices(devices)
    }

    fn fork(self: Box<Self>, device: &Device) -> Box<dyn Parts<T>> {
        Box::new(Module::fork(*self, device))
    }

    fn moved(self: Box<Self>, device: &Device) -> Box<dyn Parts<T>> {
        Box::new(self.to_device(device))
    }

    fn train(self: Box<Self>) -> Box<dyn Parts<T>> {
        Box::new(Module::train(*self))
    }

    fn valid(&self) -> Box<dyn Parts<T>> {
        Box::new(Module::valid(self))
    }

    fn materialize(self: Box<Self>) -> Box<dyn Parts<T>> {
        Box::new(Module::materialize(*self))
    }

    fn parts(&self) -> Vec<Part> {
        let mut list = List(Vec::new());
        self.visit(&mut list);
        list.0
    }

    fn replaced(self: Box<Self>, params: VecDeque<Box<dyn Any>>) -> Box<dyn Parts<T>> {
        Box::new(self.map(&mut Replace(params)))
    }
}

/// One step of a visit.
enum Part {
    Enter(String, String),
    Exit(String, String),
    Param(Box<dyn Any>),
}

/// Lists what it visits.
struct List(Vec<Part>);

impl ModuleVisitor for List {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.0.push(Part::Enter(name.into(), container.into()));
    }

    fn exit_module(&mut self, name: &str, container: &str) {
        self.0.push(Part::Exit(name.into(), container.into()));
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push(Part::Param(Box::new(param.clone())));
    }

    fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
        self.0.push(Part::Param(Box::new(param.clone())));
    }

    fn visit_bool<const D: usize>(&mut self, param: &Param<Tensor<D, Bool>>) {
        self.0.push(Part::Param(Box::new(param.clone())));
    }

    fn visit_flag(&mut self, flag: &Param<Flag>) {
        self.0.push(Part::Param(Box::new(flag.clone())));
    }
}

/// Puts parameters in, in the order in which they were listed.
struct Replace(VecDeque<Box<dyn Any>>);

impl Replace {
    fn next<P: 'static>(&mut self) -> P {
        let next = self.0.pop_front().and_then(|param| param.downcast().ok());
        *next.expect("a module is mapped in the order in which it is visited")
    }
}

impl ModuleMapper for Replace {
    fn map_float<const D: usize>(&mut self, _: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.next()
    }

    fn map_int<const D: usize>(&mut self, _: Param<Tensor<D, Int>>) -> Param<Tensor<D, Int>> {
        self.next()
    }

    fn map_bool<const D: usize>(&mut self, _: Param<Tensor<D, Bool>>) -> Param<Tensor<D, Bool>> {
        self.next()
    }

    fn map_flag(&mut self, _: Param<Flag>) -> Param<Flag> {
        self.next()
    }
}

/// Calls a visitor or a mapper with a parameter of a type that is found out, of up to five dimensions.
macro_rules! typed {
    ($param:ident, $module:ident => $call:expr) => {
        typed!($param, $module => $call,
            Param<Flag>,
            Param<Tensor<1>>, Param<Tensor<2>>, Param<Tensor<3>>, Param<Tensor<4>>, Param<Tensor<5>>,
            Param<Tensor<1, Int>>, Param<Tensor<2, Int>>, Param<Tensor<3, Int>>, Param<Tensor<4, Int>>,
            Param<Tensor<5, Int>>, Param<Tensor<1, Bool>>, Param<Tensor<2, Bool>>, Param<Tensor<3, Bool>>,
            Param<Tensor<4, Bool>>, Param<Tensor<5, Bool>>)
    };
    ($param:ident, $module:ident => $call:expr, $($kind:ty),+) => {
        $(if let Some($module) = $param.downcast_ref::<$kind>() { $call } else)+ {
            panic!("a module's parameters have one to five dimensions")
        }
    };
}

impl<T: ?Sized + 'static> fmt::Debug for Erased<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl<T: ?Sized + 'static> Clone for Erased<T> {
    fn clone(&self) -> Self {
        Self(self.0.copy())
    }
}

impl<T: ?Sized + 'static> Module for Erased<T> {
    fn collect_devices(&self, devices: Devices) -> Devices {
        self.0.devices(devices)
    }

    fn fork(self, device: &Device) -> Self {
        Self(self.0.fork(device))
    }

    fn to_device(self, device: &Device) -> Self {
        Self(self.0.moved(device))
    }

    fn train(self) -> Self {
        Self(self.0.train())
    }

    fn valid(&self) -> Self {
        Self(self.0.valid())
    }

    fn materialize(self) -> Self {
        Self(self.0.materialize())
    }

    fn visit<Visitor: ModuleVisitor>(&self, visitor: &mut Visitor) {
        for part in self.0.parts() {
            match part {
                Part::Enter(name, container) => visitor.enter_module(&name, &container),
                Part::Exit(name, container) => visitor.exit_module(&name, &container),
                Part::Param(param) => typed!(param, module => module.visit(visitor)),
            }
        }
    }

    fn map<Mapper: ModuleMapper>(self, mapper: &mut Mapper) -> Self {
        let mut params = VecDeque::new();
        for part in self.0.parts() {
            match part {
                Part::Enter(name, container) => mapper.enter_module(&name, &container),
                Part::Exit(name, container) => mapper.exit_module(&name, &container),
                Part::Param(param) => params.push_back(typed!(param, module => {
                    Box::new(Module::map(module.clone(), mapper)) as Box<dyn Any>
                })),
            }
        }
        Self(self.0.replaced(params))
    }
}

impl<T: ?Sized + 'static> ModuleDisplayDefault for Erased<T> {
    fn content(&self, content: Content) -> Option<Content> {
        content.optional()
    }

    fn num_params(&self) -> usize {
        Module::num_params(self)
    }
}

impl<T: ?Sized + 'static> ModuleDisplay for Erased<T> {}
