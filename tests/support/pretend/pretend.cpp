// A pretend accelerator: what PyTorch takes for a device, in the memory of the host.
//
// Each operation is checked as CUDA checks it, then run by the CPU's kernel on the same memory.
// What CUDA refuses is refused: tensors of two devices, and a generator of the CPU. PyTorch itself
// refuses to make an array of NumPy's from what is not on the CPU.

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/EmptyTensor.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <ATen/record_function.h>
#include <c10/core/Allocator.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <torch/library.h>
#include <unistd.h>

#include <atomic>
#include <unordered_set>

namespace {

using at::Tensor;
using c10::IValue;
using c10::IntArrayRef;
template <typename T>
using Maybe = std::optional<T>;

constexpr auto TYPE = c10::DeviceType::PrivateUse1;
const c10::Device DEVICE(TYPE, 0);
const c10::DispatchKeySet KEYS(c10::DispatchKey::PrivateUse1);

// The operations that may be given a tensor of the CPU without axes: to all others PyTorch's own
// table of operations has CUDA refuse any tensor of another device.
const std::unordered_set<std::string> TAKES_NUMBERS{
#include "takes_numbers.inc"
};

// ---- Memory: blocks that are counted, either from malloc or a result of the CPU's.

std::atomic<int64_t> in_use{0}, most{0};

struct Block {
  Tensor owner;
  void* start;
  size_t size;
};

void release(void* block_) {
  std::unique_ptr<Block> block(static_cast<Block*>(block_));
  if (!block->owner.defined()) free(block->start);
  in_use -= block->size;
}

c10::DataPtr held(Tensor owner, void* start, size_t size) {
  const int64_t now = in_use += size;
  for (auto seen = most.load(); now > seen && !most.compare_exchange_weak(seen, now);) {}
  return {start, new Block{std::move(owner), start, size}, &release, DEVICE};
}

struct Allocator final : c10::Allocator {
  c10::DataPtr allocate(size_t size) override {
    void* start = size ? malloc(size) : nullptr;
    TORCH_CHECK(start || !size, "out of memory: ", size, " bytes");
    return held({}, start, size);
  }
  c10::DeleterFnPtr raw_deleter() const override { return nullptr; }
  void copy_data(void* to, const void* from, size_t size) const override { memcpy(to, from, size); }
};
Allocator allocator;
REGISTER_ALLOCATOR(TYPE, &allocator)

// ---- One device, on which everything is done as soon as it is asked for.

struct Guard final : c10::impl::DeviceGuardImplInterface {
  c10::DeviceType type() const override { return TYPE; }
  c10::Device exchangeDevice(c10::Device) const override { return DEVICE; }
  c10::Device getDevice() const override { return DEVICE; }
  void setDevice(c10::Device) const override {}
  void uncheckedSetDevice(c10::Device) const noexcept override {}
  c10::Stream getStream(c10::Device d) const override { return c10::Stream(c10::Stream::DEFAULT, d); }
  c10::Stream exchangeStream(c10::Stream s) const override { return s; }
  c10::DeviceIndex deviceCount() const noexcept override { return 1; }
  bool queryStream(const c10::Stream&) const override { return true; }
  void synchronizeStream(const c10::Stream&) const override {}
  void synchronizeDevice(c10::DeviceIndex) const override {}
};
C10_REGISTER_GUARD_IMPL(PrivateUse1, Guard)

// It draws as the CPU's does, but is another one; to the CPU's kernels it is lent as theirs.
struct Generator final : at::CPUGeneratorImpl {
  Generator() { give_back(); }
  void lend() { device_ = c10::Device(c10::kCPU); }
  void give_back() { device_ = DEVICE; }
};

struct Hooks final : at::PrivateUse1HooksInterface {
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  c10::DeviceIndex deviceCount() const override { return 1; }
  c10::DeviceIndex getCurrentDevice() const override { return 0; }
  at::Generator getNewGenerator(c10::DeviceIndex) const override {
    return at::make_generator<Generator>();
  }
  const at::Generator& getDefaultGenerator(c10::DeviceIndex) const override {
    static const auto generator = at::make_generator<Generator>();
    return generator;
  }
  void resizePrivateUse1Bytes(const c10::Storage& storage, size_t size) const override {
    auto larger = allocator.allocate(size);
    if (auto both = std::min(size, storage.nbytes())) memcpy(larger.get(), storage.data(), both);
    storage.unsafeGetStorageImpl()->set_data_ptr_noswap(std::move(larger));
    storage.unsafeGetStorageImpl()->set_nbytes(size);
  }
};
Hooks hooks;

// ---- The same numbers, seen from the device and from the CPU.

bool is_here(const Tensor& t) { return t.defined() && t.device().type() == TYPE; }

Tensor seen_by_cpu(const Tensor& t) {
  auto* start = const_cast<void*>(t.const_data_ptr());
  auto seen = at::for_blob(start, t.sizes()).strides(t.strides()).options(t.options().device(at::kCPU)).allocator(c10::GetAllocator(c10::kCPU)).resizeable_storage().make_tensor();
  seen._set_conj(t.is_conj());
  seen._set_neg(t.is_neg());
  if (!t.dim()) seen.unsafeGetTensorImpl()->set_wrapped_number(t.unsafeGetTensorImpl()->is_wrapped_number());
  return seen;
}

// What the CPU has of `t`, in a storage of the device that holds the same bytes.
Tensor seen_here(const Tensor& t, c10::Storage storage) {
  auto made = at::detail::make_tensor<c10::TensorImpl>(std::move(storage), KEYS, t.dtype());
  const auto bytes = static_cast<const char*>(t.const_data_ptr()) - static_cast<const char*>(made.storage().data());
  auto* impl = made.unsafeGetTensorImpl();
  impl->set_sizes_and_strides(t.sizes(), t.strides(), t.numel() ? bytes / t.itemsize() : 0);
  made._set_conj(t.is_conj());
  made._set_neg(t.is_neg());
  return made;
}

Tensor taken_over(const Tensor& t) {
  const auto size = t.storage().nbytes();
  auto data = held(t, const_cast<void*>(t.storage().data()), size);
  return seen_here(t, c10::Storage(c10::Storage::use_byte_size_t(), size, std::move(data), &allocator, true));
}

// ---- An operation: what CUDA refuses, and then the CPU's kernel.

std::string name_of(const c10::OperatorHandle& op) {
  const auto& name = op.operator_name();
  return name.overload_name.empty() ? name.name : name.name + "." + name.overload_name;
}

struct Call {
  const c10::OperatorHandle& op;
  std::vector<std::pair<Tensor, Tensor>> seen;  // of the device, as the CPU sees them
  at::Generator lent;

  void refuse(const Tensor& t, bool written) const {
    if (!t.defined() || is_here(t) || (!t.dim() && !written && TAKES_NUMBERS.count(name_of(op)))) return;
    TORCH_CHECK(false, "Expected all tensors to be on the same device, but found at least two devices, ",
                DEVICE, " and ", t.device(), "! (when checking the arguments of ", name_of(op), ")");
  }

  // An index may be on the CPU: it comes in a list with holes, which is not looked at.
  void check(const IValue& value, bool written) const {
    if (value.isTensor()) refuse(value.toTensor(), written);
    if (value.isTensorList())
      for (const Tensor& t : value.toTensorVector()) refuse(t, written);
    if (value.isGenerator())
      TORCH_CHECK(value.toGenerator().device().type() == TYPE, "Expected a '", TYPE,
                  "' device type for generator but found '", value.toGenerator().device().type(), "'");
  }

  Tensor to_cpu(const Tensor& t) {
    if (!is_here(t)) return t;
    seen.emplace_back(t, seen_by_cpu(t));
    return seen.back().second;
  }

  Tensor from_cpu(const Tensor& t) const {
    if (!t.defined()) return t;
    for (const auto& [here, there] : seen) {
      if (t.is_same(there)) return here;
      if (t.storage().is_alias_of(there.storage()) && t.numel()) return seen_here(t, here.storage());
    }
    return taken_over(t);
  }

  IValue to_cpu(const IValue& value, const c10::Argument& argument) {
    const bool written = argument.alias_info() && argument.alias_info()->isWrite();
    check(value, written);
    if (value.isTensor()) return to_cpu(value.toTensor());
    if (value.isTensorList()) {
      auto all = value.toTensorVector();
      for (auto& t : all) t = to_cpu(t);
      return all;
    }
    if (value.isOptionalTensorList()) {
      c10::List<Maybe<Tensor>> all;
      for (const Maybe<Tensor> t : value.toOptionalTensorList()) all.push_back(t ? Maybe<Tensor>(to_cpu(*t)) : t);
      return all;
    }
    if (value.isDevice() && value.toDevice().type() == TYPE) return c10::Device(c10::kCPU);
    if (value.isGenerator() || (value.isNone() && argument.name() == "generator")) {
      lent = value.isNone() ? hooks.getDefaultGenerator(0) : value.toGenerator();
      static_cast<Generator*>(lent.unsafeGetGeneratorImpl())->lend();
      return lent;
    }
    return value;
  }

  IValue from_cpu(const IValue& value) const {
    if (value.isTensor()) return from_cpu(value.toTensor());
    if (!value.isTensorList()) return value;
    auto all = value.toTensorVector();
    for (auto& t : all) t = from_cpu(t);
    return all;
  }

  // What an operation wrote to may have another shape now, and need other memory.
  void reshape() const {
    for (const auto& [here, there] : seen) {
      if (here.sizes() == there.sizes()) continue;
      auto* impl = here.unsafeGetTensorImpl();
      if (there.const_data_ptr() != here.const_data_ptr()) {
        impl->set_storage_keep_dtype(taken_over(there).storage());
        impl->set_storage_offset(0);
      }
      impl->set_sizes_and_strides(there.sizes(), there.strides());
    }
  }

  ~Call() {
    if (lent.defined()) static_cast<Generator*>(lent.unsafeGetGeneratorImpl())->give_back();
  }
};

void operate(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  at::DisableRecordFunctionGuard uncounted;
  Call call{op, {}, {}};
  const auto count = op.schema().arguments().size();
  const auto first = stack->size() - count;
  for (const auto i : c10::irange(count)) (*stack)[first + i] = call.to_cpu((*stack)[first + i], op.schema().arguments()[i]);
  op.redispatchBoxed(c10::DispatchKeySet(c10::DispatchKey::CPU), stack);
  call.reshape();
  for (auto i = first; i < stack->size(); ++i) (*stack)[i] = call.from_cpu((*stack)[i]);
}
TORCH_LIBRARY_IMPL(_, PrivateUse1, m) { m.fallback(torch::CppFunction::makeFromBoxedFunction<&operate>()); }

// ---- What a device does to tensors themselves rather than to their numbers.

Tensor empty(IntArrayRef size, Maybe<at::ScalarType> type, Maybe<at::Layout>, Maybe<at::Device>, Maybe<bool>, Maybe<at::MemoryFormat> format) {
  return at::detail::empty_generic(size, &allocator, KEYS, type.value_or(at::get_default_dtype_as_scalartype()), format);
}
Tensor empty_strided(IntArrayRef size, IntArrayRef stride, Maybe<at::ScalarType> type, Maybe<at::Layout>, Maybe<at::Device>, Maybe<bool>) {
  return at::detail::empty_strided_generic(size, stride, &allocator, KEYS, type.value_or(at::get_default_dtype_as_scalartype()));
}
Tensor as_strided(const Tensor& self, IntArrayRef size, IntArrayRef stride, Maybe<int64_t> offset) {
  auto made = at::detail::make_tensor<c10::TensorImpl>(c10::TensorImpl::VIEW, c10::Storage(self.storage()), self.key_set(), self.dtype());
  made.unsafeGetTensorImpl()->set_sizes_and_strides(size, stride, offset.value_or(self.storage_offset()));
  return made;
}
const Tensor& resize(const Tensor& self, IntArrayRef size, Maybe<at::MemoryFormat>) {
  auto* impl = self.unsafeGetTensorImpl();
  impl->set_sizes_contiguous(size);
  const auto needed = (impl->storage_offset() + impl->numel()) * impl->itemsize();
  if (needed > self.storage().nbytes()) hooks.resizePrivateUse1Bytes(self.storage(), needed);
  return self;
}
Tensor& set(Tensor& self, at::Storage source, int64_t offset, IntArrayRef size, IntArrayRef stride) {
  auto* impl = self.unsafeGetTensorImpl();
  impl->set_storage_keep_dtype(std::move(source));
  impl->set_sizes_and_strides(size, stride, offset);
  return self;
}
Tensor copy_from(const Tensor& self, const Tensor& target, bool) {
  const auto ours = [](const Tensor& t) { return is_here(t) ? seen_by_cpu(t) : t; };
  at::DisableRecordFunctionGuard uncounted;
  ours(target).copy_(ours(self));
  return target;
}
Tensor copy_from_and_resize(const Tensor& self, const Tensor& target) {
  target.resize_(self.sizes());
  return copy_from(self, target, false);
}
TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  m.impl("empty.memory_format", empty);
  m.impl("empty_strided", empty_strided);
  m.impl("as_strided", as_strided);
  m.impl("resize_", resize);
  m.impl("set_.source_Storage_storage_offset", set);
  m.impl("_copy_from", copy_from);
  m.impl("_copy_from_and_resize", copy_from_and_resize);
  // Made from the form that writes into a tensor, it would warn that this changes its shape.
  m.impl("mse_loss", torch::CppFunction::makeFromBoxedFunction<&operate>());
}
// Whoever copies has to see what is not yet conjugated or negated.
TORCH_LIBRARY_IMPL(aten, Conjugate, m) { m.impl("_copy_from", torch::CppFunction::makeFallthrough()); }
TORCH_LIBRARY_IMPL(aten, Negative, m) { m.impl("_copy_from", torch::CppFunction::makeFallthrough()); }

// ---- How many operations gave a tensor of the device, and how many one of the CPU. Where the
// environment names a file, it holds the two counts, and outlives a process that is killed.

struct Counts {
  std::atomic<int64_t> here, elsewhere;
};
Counts* counts = [] {
  const char* file = getenv("PRETEND_COUNTS");
  const int opened = file ? open(file, O_RDWR | O_CREAT, 0666) : -1;
  if (opened < 0 || ftruncate(opened, sizeof(Counts))) return new Counts{};
  void* shared = mmap(nullptr, sizeof(Counts), PROT_READ | PROT_WRITE, MAP_SHARED, opened, 0);
  close(opened);
  return shared == MAP_FAILED ? new Counts{} : static_cast<Counts*>(shared);
}();

void count(const at::RecordFunction& function, at::ObserverContext*) {
  bool here = false, elsewhere = false;
  for (const auto& value : function.outputs()) {
    if (value.isTensor()) (is_here(value.toTensor()) ? here : elsewhere) = true;
    if (value.isTensorList())
      for (const Tensor& t : value.toTensorVector()) (is_here(t) ? here : elsewhere) = true;
  }
  counts->here += here;
  counts->elsewhere += elsewhere && !here;
}

std::vector<int64_t> counted() { return {counts->here, counts->elsewhere}; }
int64_t peak() { return most; }
void seed(int64_t seed) {
  at::Generator generator = hooks.getDefaultGenerator(0);
  generator.set_current_seed(seed);
}
TORCH_LIBRARY(pretend, m) {
  m.def("counted", counted);
  m.def("peak", peak);
  m.def("seed", seed);
}

const bool REGISTERED = [] {
  at::RegisterPrivateUse1HooksInterface(&hooks);
  at::addGlobalCallback(at::RecordFunctionCallback(nullptr, count).needsOutputs(true).scopes({at::RecordScope::FUNCTION}));
  return true;
}();

}  // namespace
