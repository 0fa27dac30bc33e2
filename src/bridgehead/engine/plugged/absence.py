"""What it means that a plugin is away: it may be back later, so what it has to hear is kept."""

from bridgehead.core.model.errors import PluginMissing, PluginUnreachable

ABSENT = (PluginMissing, PluginUnreachable)
