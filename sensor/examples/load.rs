use sensor::source::kernel::object::*;
fn main(){
 let size=TableSize::for_flows(65536,Object::cpus().unwrap(),4);
 println!("{size:?}");
 let mut o=Object::load(size,&[3,5,7,9,11,13]).unwrap();
 println!("ticks {}", o.ticks().unwrap());
 for (n,r) in [("xdp",o.xdp(false).map(drop)),("frags",o.xdp(true).map(drop)),("tci",o.tc(false).map(drop)),("tce",o.tc(true).map(drop))] {
   match r { Ok(())=>println!("{n} ok"), Err(e)=>{let s=format!("{e}"); println!("{n}: {}...{}",&s[..200.min(s.len())],&s[s.len().saturating_sub(1500)..])}}
 }
 std::thread::sleep(std::time::Duration::from_secs(std::env::args().nth(1).and_then(|s|s.parse().ok()).unwrap_or(0)));
}
