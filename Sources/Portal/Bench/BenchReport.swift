import Core
import FoundationEssentials
import Glibc
import Synchronization

/// What a bench found out; becomes one JSON object with sorted members.
struct BenchReport: Sendable {
    private var members: [String: JSONValue] = [:]

    init(scenario: String) {
        members["scenario"] = .string(scenario)
    }

    subscript(name: String) -> JSONValue? {
        get { members[name] }
        set { members[name] = newValue }
    }

    mutating func latencies(_ histogram: LatencyHistogram) {
        members["p50"] = .double(histogram.milliseconds(at: 0.5).rounded(to: 3))
        members["p99"] = .double(histogram.milliseconds(at: 0.99).rounded(to: 3))
    }

    /// A figure, in milliseconds, beside what it is held to.
    mutating func figure(_ name: String, _ milliseconds: Double, bar: Int) {
        var figures: [String: JSONValue] = [:]
        if case .object(let earlier) = members["figures"] { figures = earlier }
        figures[name] = .object(["milliseconds": .double(milliseconds), "bar": .int(bar)])
        members["figures"] = .object(figures)
    }

    /// Processor time of the portal and of PostgreSQL between two looks, in seconds.
    mutating func cpuSeconds(from first: ProcessorTimes, to last: ProcessorTimes) {
        members["cpuSeconds"] = .object([
            "portal": .double((last.portal - first.portal).rounded(to: 2)),
            "postgres": .double((last.postgres - first.postgres).rounded(to: 2)),
            "bench": .double((last.bench - first.bench).rounded(to: 2)),
        ])
    }

    /// Resident memory of the portal in megabytes: before the load, and the most that it ever had.
    mutating func memory(baseline: Int, peak: Int) {
        members["memory"] = .object([
            "baselineMegabytes": .megabytes(baseline), "peakMegabytes": .megabytes(peak),
        ])
    }

    mutating func versions(postgres: String) {
        var system = utsname()
        uname(&system)
        let kernel: String = withUnsafeBytes(of: system.release) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        members["versions"] = .object([
            "portal": .string(PortalVersion.current), "swift": .string(Self.swift), "postgres": .string(postgres),
            "kernel": .string(kernel), "cores": .int(sysconf(Int32(_SC_NPROCESSORS_ONLN))),
            "build": .string(Self.build),
        ])
    }

    func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(JSONValue.object(members))) + [10]
    }

    /// The compiler this was built with, as far as the language tells.
    private static var swift: String {
        #if compiler(>=6.4)
            "6.4 or later"
        #elseif compiler(>=6.3)
            "6.3"
        #else
            "6.2"
        #endif
    }

    private static var build: String {
        #if DEBUG
            "debug"
        #else
            "release"
        #endif
    }
}

extension JSONValue {
    /// Bytes as megabytes of 1,048,576, with one digit.
    static func megabytes(_ bytes: Int) -> JSONValue {
        .double((Double(bytes) / 1_048_576).rounded(to: 1))
    }

    static func rate(_ count: Int, in seconds: Double) -> JSONValue {
        .double(seconds > 0 ? (Double(count) / seconds).rounded(to: 1) : 0)
    }
}

extension Double {
    func rounded(to digits: Int) -> Double {
        var factor = 1.0
        for _ in 0..<digits { factor *= 10 }
        return (self * factor).rounded() / factor
    }
}

/// A report that a scenario's closure fills in.
final class ReportBox: Sendable {
    private let state: Mutex<BenchReport>

    init(_ report: BenchReport) {
        state = Mutex(report)
    }

    var report: BenchReport { state.withLock { $0 } }

    func update(_ change: (inout BenchReport) -> Void) {
        state.withLock { change(&$0) }
    }
}
