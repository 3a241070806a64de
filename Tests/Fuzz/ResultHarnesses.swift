import Foundation
import Layers
import Tensors

@testable import Command
@testable import Experiments
@testable import Learning

extension Harness {
  /// What commands keep and read again: tables, records, and what they say of the machine.
  static let results = [csv, record, report, machine, tuning]

  private static let csv = Harness(
    "csv",
    texts: [
      "a,b\n1,2\n", "a\n\"\"\n", "a,b\r\n\"x,\"\"y\"\"\",\r\n\r\n3,4", "\u{feff}a\n\"b\nc\r\n\"\n",
      "kernel,top1\n\"<\u{301}\",\u{600}=1\n",
    ]
  ) { text in
    let table = try CSVTable(file: try Scratch.file(Array(text.utf8), "a.csv"))
    let written = Array(table.text.utf8), again = try CSVTable(file: try Scratch.file(written, "b.csv"))
    // Scalars are compared: many different texts are equal.
    func cells(_ table: CSVTable) -> [[[Unicode.Scalar]]] {
      ([table.columns] + table.rows.map { row in table.columns.map { row[$0] ?? "" } })
        .map { $0.map { Array($0.unicodeScalars) } }
    }
    try require(cells(table) == cells(again), "written and read again: \(table.text)")
    try require(Array(again.text.utf8) == written, "written twice")
  }

  /// A plan with a run of each kind.
  private static let plan: SweepPlan = {
    let text = """
      kernels: [standard, deformable]
      models: bottleneck20
      data: synthetic
      seeds: 1
      training: {epochs: 1}
      layers: true
      fields: {depth: 1, channels: 2, size: 9, seeds: 1, batch: 1}
      operators: {problems: [ic8ih8oc8kh3]}
      """
    return certain {
      try SweepPlan(Sweep(file: Scratch.file(Array(text.utf8), "plan.yaml"), .builtIn), threads: 1)
    }
  }()

  private static let machineRecord: MachineRecord = certain {
    try JSONDecoder().decode(MachineRecord.self, from: Data(machineText.utf8))
  }

  private static let machineText = """
    {"processor": "p", "cores": 2, "memory_gib": 1.5, "instruction_set": "avx2", "system": "s", "compiler": "c",
     "configuration": "debug", "packages": {"fftw": "3"}, "commit": "abc", "date": "2026-01-01T00:00:00Z",
     "command": ["experiment", "run"], "peak_gflops_per_thread": 100.5, "bandwidth_gb_per_s": 10.5,
     "tables": ["networks.csv"]}
    """

  /// A record as the result of every run of the plan. Its checksum is made to match, as an attacker can do.
  private static let record = Harness("record") {
    let timing = "\"timing\":{\"date\":\"d\",\"processor\":\"p\",\"instructionSet\":\"avx2\""
    let cost = "{\"parameters\":1,\"macs\":2,\"adds\":3,\"otherOps\":4,\"bytes\":5}"
    func record(_ result: String, _ times: String) -> [UInt8] {
      Array(
        "{\"format\":\"\(SweepRecord.currentFormat)\",\"definition\":{\"kind\":\"k\"},\"result\":{\(result)},\(timing)\(times)},\"checksum\":\"\"}"
          .utf8)
    }
    return [
      record(
        "\"operators\":[{\"kernel\":\"standard\",\"algorithm\":\"direct\",\"pass\":\"forward\",\"problem\":\"ic8ih8oc8kh3\",\"geometry\":{\"input\":[1,8,8,8],\"channels\":[8,8],\"kernel\":[3,3],\"stride\":[1,1],\"padding\":[1,1,1,1],\"dilation\":[1,1],\"groups\":1},\"cost\":\(cost),\"maxRelativeError\":1e-6}]",
        ",\"milliseconds\":[[1,2,\"nan\"]],\"speedups\":[1]"),
      record(
        "\"networks\":[{\"kernel\":\"standard\",\"cost\":\(cost),\"proxies\":{\"values\":{\"snip\":1.5},\"reasons\":{\"zen\":\"no\"}}},{\"kernel\":\"deformable\",\"cost\":\(cost),\"proxies\":{\"values\":{},\"reasons\":{}},\"refusal\":\"no\"}]",
        ",\"milliseconds\":[[1],[2]],\"speedups\":[1,\"inf\"]"),
      record(
        "\"layers\":[{\"kernel\":\"standard\",\"layer\":\"conv1\",\"algorithm\":\"direct\",\"input\":[1,8,8,1]}]",
        ",\"milliseconds\":[[1]]"),
      record(
        "\"epochs\":[{\"epoch\":1,\"rate\":0.1,\"trainLoss\":2,\"trainTop1\":50,\"test\":{\"top1\":60,\"isFinite\":true}}],\"offsets\":{\"layer\":\"l\",\"strideY\":2,\"strideX\":1,\"rows\":[{\"row\":1,\"column\":1,\"group\":0,\"tap\":0,\"gridY\":1,\"gridX\":1,\"y\":1.5,\"x\":0.5,\"mask\":0.5}]}",
        ",\"seconds\":[1.5]"),
      record(
        "\"field\":{\"summary\":{\"height\":1,\"width\":2,\"pixels\":[1,1,1,2],\"extents\":[1,1,1,2]},\"shares\":\"AACAPwAAAAA=\"}",
        ""),
      record("\"failure\":\"The loss is not a number.\"", ""),
    ]
  } read: { input in
    let decoder = SweepRecord.decoder
    guard let record = try? decoder.decode(SweepRecord.self, from: Data(input)),
      let contents = try? record.fileContents()
    else { throw WorkbenchError("This is no record.") }
    let again = try decoder.decode(SweepRecord.self, from: contents)
    try require(try again.fileContents() == contents, "written and read again")
    let records = Dictionary(uniqueKeysWithValues: plan.runs.map { ($0.name, again) })
    let tables = SweepTables(plan, records, machineRecord)
    for (_, table) in tables.tables { _ = table.text }
    _ = tables.summary
    for result in tables.results { _ = result.problems }
  }

  /// Tables as a folder of results has them; the page, its plots and the tables for papers.
  private static let report = Harness("report") {
    let networks =
      "kernel,model,replace,data,macs,params,latency_ms_median,top1_mean,top1_ci95,snip,status,group\n"
    let rows = (0..<4).map { "k\($0),m,spatial,d,\($0 + 1)000,\($0),\($0 + 1),9\($0),1.5,\($0),ok,g\n" }
      .joined()
    let operators =
      "kernel,problem,pass,algorithm,status,threads,gflops,bytes,time_ms_median,kh,c_in\na,p,forward,direct,ok,2,3,4,5,1,8\na,q,forward,direct,ok,2,3,4,5,3,8\na,r,forward,fft,ok,2,3,4,5,5,8\n"
    let training =
      "kernel,model,data,seed,epoch,test_top1,replace\na,m,d,0,1,50,all\na,m,d,0,2,60,all\nb,m,d,0,1,55,all\n"
    let layers = "model,kernel,layer,ms\nm,a,conv1,1\nm,a,100 %d,2\n"
    let trainability = "kernel,when,model,shortcut,index,norm\na,start,m,none,0,1\na,start,m,none,1,1e-5\n"
    let offsets =
      "kernel,model,data,image,layer,row,column,offset_group,image_grid_y,image_grid_x,image_y,image_x,mask\na,m,d,0,l,1,1,0,1,1,1.5,0.5,0.5\n"
    let image = "data,image,row,column,value\nd,0,0,0,0.5\nd,0,0,1,1\n"
    let all = [
      ("networks", networks + rows), ("operators", operators), ("training", training), ("layers", layers),
      ("trainability", trainability), ("offsets", offsets), ("offsets-image", image),
      ("machine", machineText),
    ]
    return (all.prefix(6).map { [$0] } + [all, [all[0], all[7]], [all[5], all[6]]]).map { tables in
      Parts.join(tables.map { ($0.0, Array($0.1.utf8)) })
    }
  } read: { input in
    let folder = try Scratch.folder("report")
    let known = ReportData.names + ["offsets-image"]
    for (name, bytes) in Parts.split(input) {
      if known.contains(name) { _ = try Scratch.file(bytes, "report/\(name).csv") }
      if name == "machine" { _ = try Scratch.file(bytes, "report/machine.json") }
    }
    let data = try Statistics.$draws.withValue(20) {
      try ReportData(URL(fileURLWithPath: folder, isDirectory: true))
    }
    let plots = ReportSection.plots(data)
    for plot in plots {
      try require(
        plot.name.utf8.allSatisfy { $0 != UInt8(ascii: "/") && $0 < 128 }, "a file called \(plot.name)")
      try require(!plot.script.utf8.contains(UInt8(ascii: "`")), "a backquote in \(plot.script)")
      _ = plot.data
    }
    let page = try ReportPage.html(
      data, title: "t", plots: plots, pictures: plots.map { _ in nil }, notes: [])
    try require(
      page.utf8.split(separator: UInt8(ascii: "<")).count { $0.starts(with: "script".utf8) } == 1,
      "a script in the page")
    for table in PaperTables.tables(data) { _ = (PaperTables.markdown(table), PaperTables.latex(table)) }
  }

  private static let machine = Harness("machine", texts: [machineText]) { text in
    let path = try Scratch.file(Array(text.utf8), "machine.json")
    guard let record = MachineRecord.read(path) else { throw WorkbenchError("This describes no machine.") }
    let again = try Scratch.contents("again.json") { try record.write(to: $0) }
    try require(MachineRecord.read(try Scratch.file(again, "again.json")) != nil, "written and read again")
    _ = (record.origin, ResultFolder(Scratch.folder).machine)
  }

  private static let tuning = Harness(
    "tuning", texts: ["{}", "{\"mb1_ic8ih6oc8oh6kh3ph1 2\": \"direct\", \"\\u00e9\\n\": \"\"}"]
  ) { text in
    let choices = try TuningFile.read(try Scratch.file(Array(text.utf8), "tuning.json"))
    let tuning = AlgorithmTuning(choices)
    for problem in choices.keys { try require(tuning.choice(problem) == choices[problem], problem) }
    let again = try Scratch.file([UInt8](try TuningFile.contents(choices)), "again.json")
    try require(try TuningFile.read(again) == choices, "written and read again")
  }
}
