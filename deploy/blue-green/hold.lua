-- Holds a request while the map says so: for seconds, during which its client waits as for a slow answer.
local held = Map.new(os.getenv("HELD_MAP"), Map._str)
core.register_action("hold", {"http-req"}, function()
    while held:lookup("writes") == "yes" do
        core.msleep(20)
    end
end)
