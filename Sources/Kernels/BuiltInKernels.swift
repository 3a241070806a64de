/// The kernels of this package. To add one, write its folder and put it into this list.
let builtInKernels: [any Kernel] = [
  Standard(),
  Pointwise(),
  Dilated(),
  Deformable(version: .v1),
  Deformable(version: .v2),
  Shift(),
  Adder(),
  FFT(),
  Grouped(),
  DepthwiseKernel(),
  Separable(),
  Asymmetric(),
  SmallStack(),
]
