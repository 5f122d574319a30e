import ArgumentParser
import FoundationEssentials
import Portal
import Templates
import Web

struct Views: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check all views, render the examples of every page, and print every mistake with its place.")

    func run() throws {
        let configuration = try CommandSupport.configuration()
        let assets = try Assets(directory: "\(configuration.resources)/Public")
        let inspection = ViewInspection(pages: PortalAssembly.pages, chrome: Chrome.example) {
            () throws(ViewErrors) in
            try PortalAssembly.views(in: "\(configuration.resources)/Views", assets: assets)
        }
        print(inspection.report, terminator: "")
        if !inspection.isSound { throw ExitCode.failure }
    }
}

struct Routes: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List all routes with who may use them.")

    func run() async throws {
        let routes = try await CommandSupport.withRuntime { $0.assembly.routes.routes }
        for route in routes {
            let access =
                switch route.access {
                case .anyone: "anyone"
                case .role(let role): role.rawValue
                }
            print("\(route.method.rawValue)\t\(route.path)\t\(route.face)\t\(access)")
        }
    }
}

struct Render: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Render Liquid templates: JSON lines in, JSON lines out.",
        discussion: """
            Each line of standard input is {"template": …, "data": …} with an optional "templates": {name: source} for
            partials. Each line of output is {"result": …} or {"error": …}.
            """)

    func run() async throws {
        while let line = readLine(strippingNewline: true) {
            if let answer = RenderCommand.answer(to: Array(line.utf8)) { StandardOutput.write(answer) }
        }
    }
}

struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look for trouble: settings, database, its rights, disk, mail server.")

    func run() async throws {
        let report = try await CommandSupport.withRuntime { await PortalDoctor(runtime: $0).examine() }
        for finding in report { print("\(finding.isFine ? "ok  " : "LOOK") \(finding.subject): \(finding.message)") }
        if report.contains(where: { !$0.isFine }) { throw ExitCode.failure }
    }
}
