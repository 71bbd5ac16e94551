import { Call } from "../src/call/call.ts";
import { Executor } from "../src/call/execute.ts";
import { KeyWatchers } from "../src/call/key-watchers.ts";
import { Registry } from "../src/call/registry.ts";
import { Session } from "../src/call/session.ts";
import { SnapshotGuard } from "../src/call/snapshot-guard.ts";
import { streamCommands } from "../src/commands/streams.ts";
import { Config } from "../src/config/config.ts";
import { Keyspace } from "../src/keyspace/keyspace.ts";
import { ReplyWriter } from "../src/resp/reply-writer.ts";
import { Request } from "../src/resp/request.ts";
import { Counters } from "../src/stats/counters.ts";
import { testContext } from "./unit/keyspace/support.ts";
const context=testContext();const keyspace=new Keyspace(context as any,16);
const registry=new Registry(streamCommands({config:new Config(),blocking:null as any}));
const executor=new Executor({monitors:{active:false,feed(){}},clock:context.clock,counters:new Counters(),effects:{active:false,record(){},begin(){},end(){}},keyWatchers:new KeyWatchers(),snapshots:new SnapshotGuard(()=>[]),onBug(e:any){throw e},onSlow(){},slowThreshold:Infinity,timeEach:false,trackLatency:false} as any);
const call=new Call();call.session=new Session(1,{} as any,0);call.reply=new ReplyWriter();call.db=keyspace.select(0);
const req=Request.of((process.argv[2]??"XADD bs * field1 valuevalue field2 12345").split(" ").map(w=>Buffer.from(w)));
call.load(req);
const N=Number(process.argv[3]??2e5); const pre=Request.of("XADD bs * field1 valuevalue field2 12345".split(" ").map(w=>Buffer.from(w)));
for(let r=0;r<5;r++){if(r===0){for(let i=0;i<100000;i++){if(i%7===0)context.clock.advance(1);call.load(pre);call.reply.clear();executor.execute(call,registry.lookup(call)!);}}call.load(req);
const t=Bun.nanoseconds();
for(let i=0;i<N;i++){if((i&15)===0){context.clock.advance(i&16?1:0);call.reply.clear();}
executor.execute(call,registry.lookup(call)!);}
console.log(((Bun.nanoseconds()-t)/N).toFixed(1),"ns");}
