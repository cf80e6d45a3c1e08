import AsyncHTTPClient
import Configuration
import Contract
import Daemon
import Logging
import Slack
import Synchronization
import Wire

/// Says to the reader, outside of the stream of events, that work has begun. The stream's first event itself needs none of it.
protocol Teller: Sendable {
    /// Refuses a run whose reader cannot be told. Errors: `failed_precondition`.
    func check(_ thread: SlackThread?) throws(ServiceError)
    /// Shows a status to whoever waits; an empty one takes it away. Never throws: who cannot be told is still to be answered.
    func tell(_ run: RunID, in thread: SlackThread?, _ status: String) async
}

/// Tells readers in Slack, under the thread where they asked. All others are told by the stream.
final class SlackTeller: Teller {
    private struct State {
        var client: SlackClient?
        var told = 0
        var failed = 0
    }

    private let logger: Logger
    private let state: Mutex<State>

    init(_ client: SlackClient? = nil, logger: Logger) {
        self.logger = logger
        state = Mutex(State(client: client))
    }

    /// The client of the settings `SLACK_BOT_TOKEN` and `SLACK_BASE_URL`; nil without a token.
    static func client(_ config: ConfigReader) throws(ConfigurationError) -> SlackClient? {
        guard let token = config.string(forKey: "slack.bot.token", isSecret: true) else { return nil }
        let address = config.string(forKey: "slack.base.url", default: SlackClient.usualBaseURL)
        do throws(SlackError) {
            return try SlackClient(token: token, baseURL: address, client: .outside)
        } catch {
            throw ConfigurationError("Slack cannot be told: \(error)")
        }
    }

    /// Readers are told by this one from now on.
    func use(_ client: SlackClient?) {
        state.withLock { $0.client = client }
    }

    /// For `health`: how many statuses Slack took, and how many it did not.
    var gauges: [String: Int] {
        state.withLock { ["slack.statuses": $0.told, "slack.statuses.failed": $0.failed] }
    }

    func check(_ thread: SlackThread?) throws(ServiceError) {
        guard let thread else { return }
        try thread.check()
        guard state.withLock({ $0.client != nil }) else {
            throw .failedPrecondition(
                "There is no Slack token: put the bot's into the credential slack-bot-token of octavo-agent-runner, or ask "
                    + #"without "slack"."#
            )
        }
    }

    func tell(_ run: RunID, in thread: SlackThread?, _ status: String) async {
        guard let thread, let client = state.withLock({ $0.client }) else { return }
        do throws(SlackError) {
            try await client.setStatus(status, channel: thread.channel, thread: thread.thread)
            state.withLock { $0.told += 1 }
        } catch {
            // The answer is there already, which is better news.
            guard !Task.isCancelled else { return }
            state.withLock { $0.failed += 1 }
            logger.warning("reader not told", metadata: ["run_id": "\(run)", "error": "\(error)"])
        }
    }
}
