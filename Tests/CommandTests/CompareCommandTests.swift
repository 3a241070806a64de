import Foundation
import TestSupport
import Testing

/// `experiment compare`, and sweeps to which seeds are added.
@Suite(.serialized) struct CompareCommandTests {
  let folder = TemporaryFolder()

  private func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  /// Tables as a run writes them, of 10,000 images.
  private func write(_ accuracies: [String: Double], seeds: Int = 5, to name: String) throws {
    try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: true)
    var networks = "kernel,model,replace,data,test_images\n"
    var training = "kernel,model,data,seed,epoch,test_top1,replace\n"
    for (kernel, accuracy) in accuracies.sorted(by: { $0.key < $1.key }) {
      networks += "\(kernel),m,spatial,d,10000\n"
      for seed in 0..<seeds {
        training += "\(kernel),m,d,\(seed),1,10,spatial\n"
        training += "\(kernel),m,d,\(seed),2,\(accuracy + 0.1 * Double(seed % 3)),spatial\n"
      }
    }
    try networks.write(toFile: path("\(name)/networks.csv"), atomically: true, encoding: .utf8)
    try training.write(toFile: path("\(name)/training.csv"), atomically: true, encoding: .utf8)
  }

  @Test func foldersAreComparedByNetwork() throws {
    try write(["standard": 90, "shift": 88, "old": 1], to: "a")
    try write(["standard": 90.1, "shift": 85, "new": 1], to: "b")
    let same = try Experiment.run([
      "compare", path("a"), path("a"), "--fail-on", "worse", "--fail-on", "better",
    ])
    #expect(same.status == 0 && same.output.contains("equivalent"), "\(same.error)")
    #expect(!same.output.contains("Only one of the two"))
    let csv = path("c.csv")
    let outcome = try Experiment.run(["compare", path("a"), path("b"), "--csv", csv])
    #expect(outcome.status == 0, "what is worse is no failure unless that is asked for")
    #expect(outcome.output.contains("Trainings that only one of the two has: 5 before, 5 after."))
    #expect(outcome.output.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(outcome.output)")
    let rows = try String(contentsOfFile: csv, encoding: .utf8).split(separator: "\n")
    #expect(rows.count == 3 && rows[1].hasPrefix("shift,m,spatial,d,,5,10000,88.080,85.080,-3.000,"))
    #expect(rows[1].contains(",worse,") && rows[2].contains(",unpaired"))
    for (failure, status) in [("worse", 1), ("better", 0), ("missing", 1), ("worst", 64)] {
      let outcome = try Experiment.run(["compare", path("a"), path("b"), "--fail-on", failure])
      #expect(outcome.status == Int32(status), "\(failure): \(outcome.error)")
      #expect(outcome.error.split(separator: "\n").count == (status == 0 ? 0 : 1))
    }
    try write(["standard": 90], seeds: 1, to: "one")
    let single = try Experiment.run(["compare", path("one"), path("one"), "--fail-on", "open"])
    #expect(single.status == 1 && single.output.contains("One seed gives no interval"), "\(single.error)")
    try write(["other": 90], to: "c")
    let apart = try Experiment.run(["compare", path("a"), path("c")])
    #expect(apart.status == 1 && apart.error.contains("have no training in common"))
    for wrong in ["nowhere", "", "-x:results", "HEAD:nowhere-at-all"] {
      let outcome = try Experiment.run(["compare", path("a"), "--", wrong])
      #expect(outcome.status == 1 && outcome.error.split(separator: "\n").count == 1, "\(outcome.error)")
    }
  }

  @Test func commitsAreCompared() throws {
    let git = { (arguments: [String]) in
      let all = [
        "git", "-C", folder.path, "-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false",
      ]
      let outcome = try Experiment.run(URL(fileURLWithPath: "/usr/bin/env"), all + arguments)
      #expect(outcome.status == 0, "\(outcome.error)")
    }
    try write(["standard": 90, "shift": 88], to: "results")
    try git(["init", "--quiet"])
    try git(["add", "results"])
    try git(["commit", "--quiet", "-m", "one"])
    try write(["standard": 90, "shift": 80], to: "results")
    let repository = ["GIT_DIR": path(".git")]
    for before in ["HEAD", "HEAD:results"] {
      let outcome = try Experiment.run(
        Experiment.executable, ["compare", before, path("results"), "--fail-on", "worse"],
        environment: repository)
      #expect(outcome.status == 1 && outcome.output.contains("worse"), "\(outcome.error)")
      #expect(outcome.error.contains("1 of the networks: worse."))
    }
    let missing = try Experiment.run(
      Experiment.executable, ["compare", "HEAD:elsewhere", path("results")], environment: repository)
    #expect(missing.status == 1 && missing.error.contains("has no folder elsewhere"), "\(missing.error)")
  }

  /// Records have images, so that the same trainings again are equal to the image.
  @Test func seedsAreAddedUntilVerdictsAreDecided() throws {
    let file = path("s.yaml")
    try """
    kernels: [fft, 1x1]
    models: bottleneck20
    seeds: 2
    latency: false
    proxies: false
    training: {epochs: 1, batch: 256}
    """.write(toFile: file, atomically: true, encoding: .utf8)
    let arguments = ["sweep", file, "--output", path("out"), "--until", "3", "--most-seeds", "4"]
    let outcome = try Experiment.run(arguments)
    #expect(outcome.status == 0, "\(outcome.error)")
    #expect(
      outcome.error.contains("Every verdict is decided.") || outcome.error.contains("still open"),
      "\(outcome.error)")
    let networks = try String(contentsOfFile: path("out/networks.csv"), encoding: .utf8)
    let head = networks.split(separator: "\n")[0].split(separator: ",").map(String.init)
    let row = networks.split(separator: "\n")[2].split(separator: ",", omittingEmptySubsequences: false)
    // Looks at 2, 3 and 4 seeds.
    for (column, value) in [("looks", "3"), ("margin", "3")] {
      #expect(row[try #require(head.firstIndex(of: column))] == value)
    }
    // The same again trains nothing and comes to the same.
    let again = try Experiment.run(arguments)
    #expect(again.output.contains("Runs: 0 done now"), "\(again.output)")
    #expect(try String(contentsOfFile: path("out/networks.csv"), encoding: .utf8) == networks)
    // So it does without time: looks that have nothing left to train are taken all the same.
    let late = try Experiment.run(arguments + ["--budget", "0"])
    #expect(late.status == 0 && late.output.contains("Runs: 0 done now"), "\(late.output)\(late.error)")
    #expect(try String(contentsOfFile: path("out/networks.csv"), encoding: .utf8) == networks)
    let same = try Experiment.run(["compare", path("out"), path("out"), "--fail-on", "open"])
    #expect(same.status == 0 && !same.output.contains("not paired"), "\(same.output)\(same.error)")

    let small = try Experiment.run(["sweep", file, "--output", path("out"), "--budget", "1"])
    #expect(small.status == 64 && small.error.contains("limits for --until"))
    let both = try Experiment.run(["sweep", file, "--output", path("out"), "--until", "1", "--margin", "2"])
    #expect(both.status == 64 && both.error.contains("leave out --margin"))
    let few = try Experiment.run([
      "sweep", file, "--output", path("out"), "--until", "1", "--most-seeds", "1",
    ])
    #expect(few.status == 64)
  }
}
