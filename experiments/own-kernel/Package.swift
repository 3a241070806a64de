// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "own-kernel",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "convolution-workbench", path: "../..")],
  targets: [
    .executableTarget(
      name: "own-kernel", dependencies: [.product(name: "Workbench", package: "convolution-workbench")])
  ],
  swiftLanguageModes: [.v6]
)
