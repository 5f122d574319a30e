import ArgumentParser
import Core
import Portal

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Make a workspace with example data for an account.",
        discussion: """
            People, companies, lists, segments, and a campaign that went out to the Outbox. A portal that serves sends it;
            opens and clicks follow. Nothing leaves the portal.
            """)

    @Option(help: "The e-mail address of the account that owns it.")
    var email: String

    func run() async throws {
        let email = email
        let outcome: DemoWorkspace.Outcome? = try await CommandSupport.withRuntime { runtime in
            guard let user = try await runtime.assembly.accounts.administration.find(email: email) else { return nil }
            return try await runtime.assembly.demo.make(for: user)
        }
        switch outcome {
        case .none: throw ValidationError("There is no account with the address \(email). Register it first.")
        case .some(.made): print("Made the demo workspace. Sign in as \(email) and choose it at the top of the page.")
        case .some(.exists): print("\(email) has a demo workspace already.")
        }
    }
}
