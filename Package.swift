// swift-tools-version: 6.2
import Foundation
import PackageDescription

/// The instruction set that `Compute` is built for: what this host has, or what the environment variable
/// WORKBENCH_SIMD says (avx512, avx2 or portable).
let simd =
  Context.environment["WORKBENCH_SIMD"]
  ?? {
    #if arch(x86_64) && os(Linux)
      let cpuinfo = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
      let line = cpuinfo.split(separator: "\n").first { $0.hasPrefix("flags") } ?? ""
      let flags = Set(line.split(separator: " "))
      if flags.isSuperset(of: ["avx512f", "avx512vl", "avx512dq", "avx512bw", "avx2", "fma"]) {
        return "avx512"
      }
      if flags.isSuperset(of: ["avx2", "fma"]) { return "avx2" }
    #endif
    return "portable"
  }()

let simdSettings: [SwiftSetting] =
  switch simd {
  case "avx512":
    [
      .define("WORKBENCH_AVX512"), .define("WORKBENCH_FMA"),
      .unsafeFlags(
        ["avx512f", "avx512vl", "avx512dq", "avx512bw", "avx2", "fma", "prefer-vector-width=512"]
          .flatMap { ["-Xcc", "-m\($0)"] }),
    ]
  case "avx2": [.define("WORKBENCH_FMA"), .unsafeFlags(["-Xcc", "-mavx2", "-Xcc", "-mfma"])]
  default: []
  }

/// Optimised in debug builds too: a study of speed that needs `-c release` would be misread.
let optimised: [SwiftSetting] = [.unsafeFlags(["-O", "-wmo", "-disable-batch-mode", "-num-threads", "2"])]

/// The same file by file, which builds faster: for modules whose speed does not rest on inlining between their files.
let optimisedByFile: [SwiftSetting] = [.unsafeFlags(["-O"])]

/// Whether the fuzzer is built, as Tests/Fuzz/run does.
let fuzzes = Context.environment["WORKBENCH_FUZZ"] != nil

/// For modules that read what comes from outside: the fuzzer counts what their code an input reaches. Counting in all
/// modules would take most of its time.
let coverage: [SwiftSetting] = fuzzes ? [.unsafeFlags(["-sanitize=fuzzer"])] : []
/// Such modules, optimised.
let readers = optimised + coverage

/// Tests/Fuzz: the fuzzer, where the environment asks for it as Tests/Fuzz/run does; else tests that read what it kept.
let fuzz: Target = {
  let dependencies: [Target.Dependency] = [
    "Command", "Experiments", "Learning", "Networks", "Kernels", "Layers", "Tensors",
  ]
  guard fuzzes else {
    return .testTarget(
      name: "FuzzTests", dependencies: dependencies, path: "Tests/Fuzz",
      exclude: ["Corpus", "run", "main.swift"], swiftSettings: optimised)
  }
  return .executableTarget(
    name: "fuzz", dependencies: dependencies, path: "Tests/Fuzz",
    exclude: ["Corpus", "run", "CorpusTests.swift"],
    swiftSettings: readers, linkerSettings: [.unsafeFlags(["-sanitize=fuzzer"])])
}()

let package = Package(
  name: "convolution-workbench",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "experiment", targets: ["experiment"]),
    .library(
      name: "Workbench", targets: ["Command", "Conformance", "Kernels", "Layers", "Compute", "Tensors"]),
  ],
  traits: [
    .default(enabledTraits: ["FFTW"]),
    .trait(
      name: "FFTW",
      description: "The algorithm fft, by FFTW: a binary that links it falls under FFTW's licence, the GPL."),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
  ],
  targets: [
    .systemLibrary(
      name: "CFFTW", pkgConfig: "fftw3f",
      providers: [.apt(["libfftw3-dev"]), .brew(["fftw"])]),
    .systemLibrary(name: "CHints"),
    .systemLibrary(
      name: "CPNG", pkgConfig: "libpng",
      providers: [.apt(["libpng-dev"]), .brew(["libpng"])]),
    .target(name: "Tensors", swiftSettings: readers),
    .target(
      name: "Compute",
      dependencies: [.target(name: "CFFTW", condition: .when(traits: ["FFTW"])), "CHints", "Tensors"],
      swiftSettings: optimised + simdSettings),
    .target(name: "Layers", dependencies: ["Compute", "Tensors"], swiftSettings: optimised),
    .target(name: "Kernels", dependencies: ["Layers", "Compute", "Tensors"], swiftSettings: readers),
    .target(name: "Conformance", dependencies: ["Kernels", "Layers", "Tensors"], swiftSettings: optimised),
    .target(name: "Networks", dependencies: ["Kernels", "Layers", "Tensors"], swiftSettings: readers),
    .target(
      name: "Learning", dependencies: ["CPNG", "Networks", "Kernels", "Layers", "Compute", "Tensors"],
      resources: [.copy("Resources/digits-images.idx3-ubyte"), .copy("Resources/digits-labels.idx1-ubyte")],
      swiftSettings: readers),
    .target(
      name: "Experiments",
      dependencies: [
        "Learning", "Networks", "Kernels", "Layers", "Compute", "Tensors",
        .product(name: "Yams", package: "Yams"),
        .product(name: "Mustache", package: "swift-mustache"),
      ],
      swiftSettings: optimisedByFile + coverage),
    .target(
      name: "Command",
      dependencies: [
        "Experiments", "Learning", "Networks", "Conformance", "Kernels", "Layers", "Compute", "Tensors",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .executableTarget(name: "experiment", dependencies: ["Command", "Kernels"]),
    .target(name: "TestSupport", dependencies: ["Layers", "Tensors"], path: "Tests/Support"),
    .testTarget(name: "TensorsTests", dependencies: ["Tensors"]),
    .testTarget(name: "ComputeTests", dependencies: ["Compute", "Tensors"]),
    .testTarget(
      name: "KernelsTests",
      dependencies: ["TestSupport", "Conformance", "Kernels", "Layers", "Compute", "Tensors"],
      resources: [.copy("Fixtures")], swiftSettings: optimised),
    .testTarget(
      name: "NetworksTests",
      dependencies: ["TestSupport", "Conformance", "Networks", "Kernels", "Layers", "Tensors"],
      resources: [.copy("Fixtures")]),
    .testTarget(
      name: "LearningTests",
      dependencies: ["TestSupport", "Learning", "Networks", "Kernels", "Layers", "Tensors"],
      resources: [.copy("Fixtures")]),
    .testTarget(
      name: "ExperimentsTests",
      dependencies: ["TestSupport", "Experiments", "Learning", "Kernels", "Layers", "Tensors"],
      resources: [.copy("Fixtures")]),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "TestSupport", "Command", "Experiments", "Kernels", "Learning", "Networks", "Tensors", "experiment",
      ],
      exclude: ["Fixtures"]),
    fuzz,
  ],
  swiftLanguageModes: [.v6]
)
